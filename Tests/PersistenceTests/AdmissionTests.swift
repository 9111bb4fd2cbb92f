import Domain
import Testing

@testable import Persistence

@Suite struct AdmissionTests {
    @Test func anIdempotencyKeyAdmitsOneRunPerUser() async throws {
        try await TestDatabase.run { test async throws in
            let (user, other) = (try await test.makeUser(), try await test.makeUser())
            let first = try await test.makeExecution(user: user, key: "k")
            let again = try await test.makeExecution(user: user, key: "k")
            let others = try await test.makeExecution(user: other, key: "k")
            #expect(first == again && first != others)
            #expect(try await test.count("SELECT count(*) FROM template_executions") == 2)
        }
    }

    @Test func concurrentRequestsWithOneKeyAdmitOneRun() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            try await PostgresCatalog(test.database).publish(.demo())
            let ledger = PostgresLedger(test.database)
            let ids = try await withThrowingTaskGroup(of: UUIDv7.self) { group in
                for _ in 0..<20 { group.addTask { try await ledger.admit(.demo(user: user, key: "same")).id } }
                return try await group.reduce(into: Set<UUIDv7>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
            #expect(try await test.count("SELECT count(*) FROM template_executions") == 1)
        }
    }

    @Test func theSameDraftTwiceIsOneRun() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            try await PostgresCatalog(test.database).publish(.demo())
            let draft = ExecutionDraft.demo(user: user)
            let ledger = PostgresLedger(test.database)
            let admitted = [try await ledger.admit(draft), try await ledger.admit(draft)]
            #expect(admitted.map(\.id) == [draft.id, draft.id])
            #expect(admitted[0] == admitted[1])
        }
    }

    @Test func unknownTemplatesAndUsersAreNotFound() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            try await PostgresCatalog(test.database).publish(.demo())
            let ledger = PostgresLedger(test.database)
            let template = await #expect(throws: LedgerError.self) {
                try await ledger.admit(.demo(user: user, template: "none"))
            }
            let stranger = await #expect(throws: LedgerError.self) {
                try await ledger.admit(.demo(user: TestDatabase.id()))
            }
            #expect(template?.code == .notFound && stranger?.code == .notFound)
        }
    }
}
