import Domain
import Testing

@testable import Persistence

@Suite struct CheckpointTests {
    @Test func aReplayIsAlreadyAppliedAndChangesNothing() async throws {
        try await TestDatabase.run { test async throws in
            let fence = try await test.makeClaimed().fence
            let ledger = PostgresLedger(test.database)
            let call = ProviderCall.demo()
            let opened = [
                try await ledger.open(call, fence: fence), try await ledger.open(call, fence: fence),
            ]
            #expect(opened == [.applied, .alreadyApplied])
            let checkpoint = Checkpoint.make(
                fence, step: .make(), settlements: [.demo(call, cost: Money(picoDollars: 5))], logs: [.make(1)])
            let outcomes = [try await ledger.checkpoint(checkpoint), try await ledger.checkpoint(checkpoint)]
            #expect(outcomes == [.applied, .alreadyApplied])

            // A second record of the same step changes nothing either.
            let other = try await ledger.checkpoint(.make(fence, step: .make("1", output: "other")))
            #expect(other == .alreadyApplied)
            #expect(try await test.text("SELECT output->>'answer' FROM execution_steps") == "42")
            #expect(try await test.count("SELECT count(*) FROM execution_logs") == 1)
            #expect(try await test.count("SELECT count(*) FROM ai_api_calls") == 1)
        }
    }

    @Test func theReplayOfAnEndingIsAlreadyApplied() async throws {
        try await TestDatabase.run { test async throws in
            let fence = try await test.makeClaimed().fence
            let ledger = PostgresLedger(test.database)
            let ending = ExecutionEnding(
                state: .completed, result: ["app_url": "https://x.example"], error: nil,
                deployedURL: "https://a.example")
            let last = Checkpoint.make(fence, step: .make(), progress: 100, ending: ending)
            let outcomes = [try await ledger.checkpoint(last), try await ledger.checkpoint(last)]
            #expect(outcomes == [.applied, .alreadyApplied])
            #expect(try await test.count("SELECT progress_percentage FROM template_executions") == 100)
            #expect(try await test.text("SELECT deployed_url FROM template_executions") == "https://a.example")
        }
    }

    @Test func progressNeverFallsAndIsWholeOnlyWhenCompleted() async throws {
        try await TestDatabase.run { test async throws in
            let fence = try await test.makeClaimed().fence
            let ledger = PostgresLedger(test.database)
            for (given, kept) in [(50, 50), (20, 50), (100, 99), (-5, 99)] as [(Int, Int64)] {
                _ = try await ledger.checkpoint(.make(fence, progress: given))
                #expect(try await test.count("SELECT progress_percentage FROM template_executions") == kept)
            }
        }
    }

    @Test func aCallsRowHoldsWhatWasKnownAndLearned() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await test.makeClaimed()
            let ledger = PostgresLedger(test.database)
            let call = ProviderCall.demo(model: nil)
            _ = try await ledger.open(call, fence: claimed.fence)
            let open = try await test.text(
                """
                SELECT concat_ws('|', state, model_name, success, settled_at, plugin_id, plugin_version, endpoint)
                FROM ai_api_calls
                """)
            #expect(open == "open|default-model|claude|1.2.3|ai.generate")
            let partition = try await test.text("SELECT tableoid::regclass::text FROM ai_api_calls")
            #expect(partition?.hasPrefix("ai_api_calls_y") == true)

            _ = try await ledger.checkpoint(
                .make(claimed.fence, settlements: [.demo(call, cost: Money(picoDollars: 5))]))
            let settled = try await test.text(
                """
                SELECT concat_ws('|', state, model_name, success, input_tokens, output_tokens, cache_read_tokens,
                    cache_write_5m_tokens, cache_write_1h_tokens, raw_usage, price_version, latency_ms,
                    provider_request_id, user_id = $1::uuid, settled_at IS NOT NULL)
                FROM ai_api_calls
                """, [.uuid(claimed.userID)])
            #expect(
                settled
                    == #"settled|claude-sonnet-5-20260101|t|130|20|30|40|50|{"input_tokens": 10}|2026-11|1234|req_1|t|t"#
            )

            // What is settled stays as it is.
            _ = try await ledger.checkpoint(
                .make(claimed.fence, settlements: [.demo(call, state: .estimated, cost: Money(picoDollars: 9))]))
            #expect(try await test.text("SELECT cost FROM ai_api_calls") == "0.000000000005")
        }
    }

    @Test func aRefusedStepIsRejectedWhole() async throws {
        try await TestDatabase.run { test async throws in
            let fence = try await test.makeClaimed().fence
            let ledger = PostgresLedger(test.database)
            for output: JSON in ["zero \0 byte", ["n": .decimal("1e999999")]] {
                let error = await #expect(throws: LedgerError.self) {
                    try await ledger.checkpoint(.make(fence, step: .make("1", output: output), logs: [.make(1)]))
                }
                #expect(error?.code == .rejected && error?.message.contains("SQLSTATE 22") == true)
            }
            #expect(try await test.count("SELECT count(*) FROM execution_logs") == 0)
            let repaired = try JSON.parse(#"{"a":"\ud800 \u0000"}"#, JSON.Reading(repairsStrings: true))
            let outcome = try await ledger.checkpoint(.make(fence, step: .make("1", output: repaired)))
            #expect(outcome == .applied)
            #expect(try await test.text("SELECT output->>'a' FROM execution_steps") == "\u{FFFD} \u{FFFD}")
        }
    }

    @Test func noLogLineIsRefused() async throws {
        try await TestDatabase.run { test async throws in
            let fence = try await test.makeClaimed().fence
            let messages = [
                "a\0b", "\u{1}\u{1F}\"\\ 🚀\n", String(repeating: "é", count: 100_000), "", "\u{FFFF}\u{10FFFF}",
            ]
            let logs = messages.enumerated().map { LogLine.make(Int64($0 + 1), $1) }
            let provider = ProviderError(.upstream, "answered \0 with binary")
            let call = ProviderCall.demo()
            let ledger = PostgresLedger(test.database)
            _ = try await ledger.open(call, fence: fence)
            let outcome = try await ledger.checkpoint(
                .make(fence, settlements: [.demo(call, state: .unknown, cost: .zero, error: provider)], logs: logs))
            #expect(outcome == .applied)
            let rows = try await test.query("SELECT message FROM execution_logs ORDER BY sequence")
            #expect(rows.text(0, 0) == "a\u{FFFD}b" && rows.text(1, 0) == messages[1])
            #expect(rows.text(2, 0)?.hasSuffix("é … (cut off)") == true)
            #expect(rows.text(3, 0) == "" && rows.text(4, 0) == messages[4])
        }
    }

    @Test func manyExecutionsShareCommitsWithoutMixing() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            let ledger = PostgresLedger(test.database)
            let worker = TestDatabase.id()
            for _ in 0..<30 { _ = try await test.makeExecution(user: user) }
            try await ledger.renew(worker: worker, lease: .seconds(60))
            let claimed = try await ledger.claim(worker: worker, limit: 100, inFlight: [])
            let outcomes = try await withThrowingTaskGroup(of: [FenceOutcome].self) { group in
                for (number, execution) in claimed.enumerated() {
                    group.addTask {
                        var outcomes: [FenceOutcome] = []
                        for step in 1...10 {
                            // Every seventh run sends one output that is refused, in the midst of the others.
                            if number % 7 == 0, step == 5 {
                                await #expect(throws: LedgerError.self) {
                                    try await ledger.checkpoint(
                                        .make(execution.fence, step: .make("bad", output: "\0")))
                                }
                            }
                            outcomes.append(
                                try await ledger.checkpoint(
                                    .make(
                                        execution.fence, step: .make("\(step)", output: .integer(Int64(number))),
                                        logs: [.make(Int64(step))], progress: step * 9)))
                        }
                        return outcomes
                    }
                }
                return try await group.reduce([], +)
            }
            #expect(outcomes.count == 300 && outcomes.allSatisfy { $0 == .applied })
            let mixed = try await test.count(
                """
                SELECT count(*) FROM (
                    SELECT FROM execution_steps GROUP BY execution_id
                    HAVING count(DISTINCT output) <> 1 OR count(*) <> 10) AS wrong
                """)
            #expect(mixed == 0)
        }
    }
}
