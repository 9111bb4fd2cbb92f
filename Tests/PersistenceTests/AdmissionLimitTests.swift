import Domain
import Testing

@testable import Persistence

@Suite struct AdmissionLimitTests {
    private static func refusal(
        _ ledger: PostgresLedger, _ user: UUIDv7, key: String? = nil
    ) async throws -> LedgerError.Code? {
        do throws(LedgerError) {
            _ = try await ledger.admit(.demo(user: user, key: key))
            return nil
        } catch { return error.code }
    }

    @Test func aUserWithTooManyUnfinishedRunsIsRefusedAndNobodyElse() async throws {
        try await TestDatabase.run { test async throws in
            let (user, other) = (try await test.makeUser(), try await test.makeUser())
            try await PostgresCatalog(test.database).publish(.demo())
            let ledger = PostgresLedger(test.database, limits: AdmissionLimits(perUser: 2, total: 100))
            let first = try await ledger.admit(.demo(user: user, key: "first")).id
            #expect(try await Self.refusal(ledger, user) == nil)
            #expect(try await Self.refusal(ledger, user) == .tooManyOfUser)
            #expect(try await Self.refusal(ledger, other) == nil)
            // A request that is sent again is answered as before: it adds nothing.
            #expect(try await ledger.admit(.demo(user: user, key: "first")).id == first)
            #expect(try await test.count("SELECT count(*) FROM template_executions") == 3)
            // One that runs is unfinished too; one that has ended makes room.
            let worker = TestDatabase.id()
            try await ledger.renew(worker: worker, lease: .seconds(60))
            let claimed = try #require(try await ledger.claim(worker: worker, limit: 1, inFlight: []).first)
            #expect(claimed.fence.executionID == first)
            #expect(try await Self.refusal(ledger, user) == .tooManyOfUser)
            _ = try await ledger.checkpoint(.make(claimed.fence, progress: 100, ending: .success))
            #expect(try await Self.refusal(ledger, user) == nil)
        }
    }

    @Test func requestsAtTheSameMomentAreAllCounted() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            try await PostgresCatalog(test.database).publish(.demo())
            let ledger = PostgresLedger(test.database, limits: AdmissionLimits(perUser: 5, total: 100))
            let refusals = try await withThrowingTaskGroup(of: LedgerError.Code?.self) { group in
                for _ in 0..<40 { group.addTask { try await Self.refusal(ledger, user) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(refusals.count { $0 == nil } == 5)
            #expect(refusals.count { $0 == .tooManyOfUser } == 35)
        }
    }

    @Test(arguments: [3, 1_200]) func allUsersTogetherMayHaveSoMany(total: Int) async throws {
        try await TestDatabase.run { test async throws in
            let (user, other) = (try await test.makeUser(), try await test.makeUser())
            try await PostgresCatalog(test.database).publish(.demo())
            try await test.query(
                """
                INSERT INTO template_executions (user_id, execution_config)
                SELECT $1::uuid, '{}' FROM generate_series(1, $2::integer)
                """, [.uuid(other), .count(total - 1)])
            let ledger = PostgresLedger(test.database, limits: AdmissionLimits(perUser: 100, total: total))
            #expect(try await Self.refusal(ledger, user) == nil)
            #expect(try await Self.refusal(ledger, user) == .tooMany)
            try await test.query(
                "UPDATE template_executions SET end_time = now(), status = 'failed' WHERE user_id = $1::uuid",
                [.uuid(other)])
            #expect(try await Self.refusal(ledger, user) == nil)
        }
    }
}
