import Domain
import Testing

@testable import Persistence

@Suite struct EstimateTests {
    /// Seconds between a run's admission, as the server's clock has it, and its stored estimate.
    private static let seconds = """
        SELECT round(extract(epoch FROM estimated_completion - updated_at))::bigint FROM template_executions
        WHERE id = $1::uuid
        """

    /// A run that took so many seconds and ended so many minutes ago.
    private static func completed(
        _ seconds: Int, ended minutes: Int, _ test: TestDatabase, _ user: UUIDv7
    ) async throws {
        let id = try await test.makeExecution(user: user)
        try await test.query(
            """
            UPDATE template_executions SET status = 'completed', end_time = now() - $2::integer * interval '1 minute',
                start_time = now() - $2::integer * interval '1 minute' - $3::integer * interval '1 second'
            WHERE id = $1::uuid
            """, [.uuid(id), .count(minutes), .count(seconds)])
    }

    private static func admit(
        _ test: TestDatabase, _ user: UUIDv7, expected: Duration = .seconds(300), template: String = "demo"
    ) async throws -> Int64? {
        let admitted = try await PostgresLedger(test.database).admit(
            .demo(user: user, template: template, expected: expected))
        let stored = try await test.count(
            "SELECT (extract(epoch FROM estimated_completion) * 1000000)::bigint FROM template_executions "
                + "WHERE id = $1::uuid", [.uuid(admitted.id)])
        #expect(stored == admitted.estimatedCompletion.microseconds)
        return try await test.count(Self.seconds, [.uuid(admitted.id)])
    }

    @Test func theTemplateSaysWhatNoThreeRunsHaveShown() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            for seconds in [60, 70] { try await Self.completed(seconds, ended: 5, test, user) }
            #expect(try await Self.admit(test, user) == 300)
            try await Self.completed(80, ended: 5, test, user)
            #expect(try await Self.admit(test, user) == 70)
            // Runs of another template say nothing of this one.
            try await PostgresCatalog(test.database).publish(.demo(slug: "other"))
            #expect(try await Self.admit(test, user, expected: .seconds(42), template: "other") == 42)
        }
    }

    @Test func onlyTheLastFiftyCompletedRunsCount() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            for number in 0..<50 { try await Self.completed(number % 2 == 0 ? 100 : 110, ended: 1, test, user) }
            for _ in 0..<60 { try await Self.completed(9_000, ended: 60, test, user) }
            // What did not complete says nothing, however late it ended.
            let failed = try await test.makeExecution(user: user)
            try await test.query(
                """
                UPDATE template_executions SET status = 'failed', start_time = now(), end_time = now()
                WHERE id = $1::uuid
                """, [.uuid(failed)])
            #expect(try await Self.admit(test, user) == 105)
        }
    }

    @Test func aRunWaitsForThoseBeforeItOnlyWhereTheHostsAreFull() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            let ledger = PostgresLedger(test.database)
            for _ in 0..<5 { _ = try await test.makeExecution(user: user) }
            let age = "UPDATE template_executions SET created_at = created_at - interval '1 minute'"
            try await test.query(age)
            // Nobody runs anything: what fits is not known.
            #expect(try await Self.admit(test, user) == 300)
            let worker = TestDatabase.id()
            try await ledger.renew(worker: worker, lease: .seconds(60))
            _ = try await ledger.claim(worker: worker, limit: 2, inFlight: [])
            // Two run, three have waited for a minute and one has just come: two durations.
            #expect(try await Self.admit(test, user) == 300 * 3)
            _ = try await ledger.claim(worker: worker, limit: 5, inFlight: [])
            // What has just come will be taken in a moment.
            #expect(try await Self.admit(test, user) == 300)
        }
    }

    @Test func aReplayAnswersTheStoredEstimate() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            try await PostgresCatalog(test.database).publish(.demo())
            let ledger = PostgresLedger(test.database)
            let first = try await ledger.admit(.demo(user: user, key: "k"))
            let again = try await ledger.admit(.demo(user: user, key: "k", expected: .seconds(9_999)))
            #expect(first == again)
            // One that an earlier release admitted has none.
            try await test.query("UPDATE template_executions SET estimated_completion = NULL")
            let legacy = try await ledger.admit(.demo(user: user, key: "k", expected: .seconds(600)))
            #expect(legacy.id == first.id && legacy.estimatedCompletion > first.estimatedCompletion)
        }
    }

    @Test func noExpectationIsTooLongOrTooShortToAdmit() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            try await PostgresCatalog(test.database).publish(.demo())
            #expect(try await Self.admit(test, user, expected: .seconds(9_000_000_000_000)) == 31_536_000)
            #expect(try await Self.admit(test, user, expected: .seconds(-5)) == 0)
        }
    }

    /// A plan is kept for the life of a connection: it must not be one for an empty table.
    @Test func noAdmissionReadsAllExecutions() async throws {
        try await TestDatabase.run { test async throws in
            let plan = try await test.database.transaction { session throws(DatabaseError) in
                try session.script("SET LOCAL plan_cache_mode = force_generic_plan")
                try session.script("PREPARE whole AS \(PostgresLedger.admission.sql)")
                let nulls = Array(repeating: "NULL", count: 13).joined(separator: ", ")
                let rows = try session.query("EXPLAIN EXECUTE whole (\(nulls))")
                try session.script("DEALLOCATE whole")
                return (0..<rows.count).compactMap { rows.text($0, 0) }
            }
            #expect(plan.contains { $0.contains("idx_executions_completed") })
            #expect(plan.contains { $0.contains("idx_executions_turns") })
            #expect(!plan.contains { $0.contains("Seq Scan on template_executions") })
        }
    }
}
