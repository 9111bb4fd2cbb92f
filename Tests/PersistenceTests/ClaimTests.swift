import Domain
import Synchronization
import Testing

@testable import Persistence

@Suite struct ClaimTests {
    @Test func twoWorkersNeverClaimTheSame() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            for _ in 0..<40 { _ = try await test.makeExecution(user: user) }
            let workers = [TestDatabase.id(), TestDatabase.id()]
            let ledgers = [PostgresLedger(test.database), PostgresLedger(test.database)]
            for (ledger, worker) in zip(ledgers, workers) {
                try await ledger.renew(worker: worker, lease: .seconds(60))
            }
            let claimed = try await withThrowingTaskGroup(of: [UUIDv7].self) { group in
                for (ledger, worker) in zip(ledgers, workers) {
                    group.addTask {
                        var ids: [UUIDv7] = []
                        while true {
                            let some = try await ledger.claim(worker: worker, limit: 3, inFlight: ids)
                            if some.isEmpty { return ids }
                            ids += some.map(\.fence.executionID)
                        }
                    }
                }
                return try await group.reduce([], +)
            }
            #expect(claimed.count == 40 && Set(claimed).count == 40)
        }
    }

    @Test func theOldestComesFirstWithEverythingItNeeds() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            let first = try await test.makeExecution(user: user)
            let second = try await test.makeExecution(user: user)
            let ledger = PostgresLedger(test.database)
            let worker = TestDatabase.id()
            try await ledger.renew(worker: worker, lease: .seconds(60))
            let claimed = try #require(try await ledger.claim(worker: worker, limit: 1, inFlight: []).first)
            #expect(claimed.fence == Fence(executionID: first, worker: worker, epoch: 1))
            #expect(claimed.userID == user && !claimed.isResumed && claimed.progress == 0)
            #expect(claimed.configuration == ["app_name": "Ünïcode 🚀"])
            #expect(try ExecutionPlan(claimed.plan) == .demo())
            #expect(claimed.finishedSteps.isEmpty && claimed.calls.isEmpty && claimed.nextLogSequence == 1)
            let rest = try await ledger.claim(worker: worker, limit: 10, inFlight: [first])
            #expect(rest.map(\.fence.executionID) == [second])
        }
    }

    /// Whoever has fewer comes first, however many another has and however old they are.
    @Test func usersTakeTurns() async throws {
        try await TestDatabase.run { test async throws in
            let (busy, other) = (try await test.makeUser(), try await test.makeUser())
            var many: [UUIDv7] = []
            for _ in 0..<4 { many.append(try await test.makeExecution(user: busy)) }
            let few = [try await test.makeExecution(user: other), try await test.makeExecution(user: other)]
            let ledger = PostgresLedger(test.database)
            let worker = TestDatabase.id()
            try await ledger.renew(worker: worker, lease: .seconds(60))
            let first = try await ledger.claim(worker: worker, limit: 2, inFlight: []).map(\.fence.executionID)
            #expect(first == [many[0], few[0]])
            // What runs counts as much as what waits.
            let late = try await test.makeExecution(user: try await test.makeUser())
            let next = try await test.makeExecution(user: other)
            let rest = try await ledger.claim(worker: worker, limit: 10, inFlight: first).map(\.fence.executionID)
            #expect(rest == [late, many[1], few[1], many[2], next, many[3]])
        }
    }

    @Test func aWorkerWithoutALeaseClaimsNothing() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            _ = try await test.makeExecution(user: user)
            let ledger = PostgresLedger(test.database)
            let worker = TestDatabase.id()
            let none = try await ledger.claim(worker: worker, limit: 1, inFlight: [])
            try await ledger.renew(worker: worker, lease: .seconds(60))
            let one = try await ledger.claim(worker: worker, limit: 1, inFlight: [])
            #expect(none.isEmpty && one.count == 1)
        }
    }

    @Test func releasedExecutionsAreClaimedAtOnce() async throws {
        try await TestDatabase.run { test async throws in
            let first = try await test.makeClaimed()
            let ledger = PostgresLedger(test.database)
            try await ledger.release(worker: first.fence.worker)
            try await ledger.release(worker: first.fence.worker)
            #expect(try await test.count("SELECT count(*) FROM workers") == 0)
            let fenced = try await ledger.checkpoint(.make(first.fence, step: .make()))
            let successor = TestDatabase.id()
            try await ledger.renew(worker: successor, lease: .seconds(60))
            let claimed = try await ledger.claim(worker: successor, limit: 1, inFlight: [])
            #expect(fenced == .fenced)
            #expect(claimed.first?.fence.epoch == 2 && claimed.first?.isResumed == true)
        }
    }

    @Test func aClaimWhoseAnswerWasLostIsHandedOutByTheNext() async throws {
        try await TestDatabase.run { test async throws in
            // Committed, and as far as the worker knows it never happened.
            let lost = try await test.makeClaimed().fence
            let ledger = PostgresLedger(test.database)
            let running = try await ledger.claim(worker: lost.worker, limit: 5, inFlight: [lost.executionID])
            #expect(running.isEmpty)
            let again = try await ledger.claim(worker: lost.worker, limit: 5, inFlight: [])
            #expect(again.map(\.fence) == [Fence(executionID: lost.executionID, worker: lost.worker, epoch: 2)])
            let late = try await ledger.checkpoint(.make(lost, step: .make()))
            #expect(late == .fenced)
        }
    }

    @Test func whatCannotBeReadIsNotTakenAndNotInTheWay() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            let bad = try await test.makeExecution(user: user)
            let good = try await test.makeExecution(user: user)
            try await test.query(
                """
                UPDATE template_executions
                SET execution_config = (repeat('[', 600) || repeat(']', 600))::jsonb WHERE id = $1::uuid
                """, [.uuid(bad)])
            let ledger = PostgresLedger(test.database)
            let worker = TestDatabase.id()
            try await ledger.renew(worker: worker, lease: .seconds(60))
            let claimed = try await ledger.claim(worker: worker, limit: 5, inFlight: [])
            #expect(claimed.map(\.fence.executionID) == [good])
            let error = await #expect(throws: LedgerError.self) {
                try await ledger.claim(worker: worker, limit: 5, inFlight: [good])
            }
            #expect(error?.code == .rejected)
            #expect(error?.message.contains("\(bad)") == true && error?.message.contains("configuration") == true)
            #expect(try await test.text("SELECT status FROM template_executions WHERE epoch = 0") == "queued")
        }
    }

    @Test func aPlanOfALaterFormatIsLeftToNewerHosts() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            let newer = try await test.makeExecution(user: user)
            try await test.query(
                "UPDATE template_executions SET plan = jsonb_set(plan, '{format}', $1::jsonb)",
                [.integer(ExecutionPlan.formatVersion + 1)])
            let today = try await test.makeExecution(user: user)
            let ledger = PostgresLedger(test.database)
            let worker = TestDatabase.id()
            try await ledger.renew(worker: worker, lease: .seconds(60))
            let claimed = try await ledger.claim(worker: worker, limit: 5, inFlight: [])
            #expect(claimed.map(\.fence.executionID) == [today])
            // One without a format, or with nonsense for it, is taken: whoever runs it says what is wrong with it.
            try await test.query(
                "UPDATE template_executions SET plan = '{\"format\": \"x\"}' WHERE id = $1::uuid", [.uuid(newer)])
            let odd = try await ledger.claim(worker: worker, limit: 5, inFlight: [today])
            #expect(odd.map(\.fence.executionID) == [newer])
        }
    }

    /// Behind a queue that the statistics do not know yet, a claim of a few must not read all that wait.
    @Test func aClaimReadsOnlyWhatItTakes() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            let admission = """
                INSERT INTO template_executions (id, user_id, execution_config, plan, status, created_at, end_time)
                SELECT gen_random_uuid(), $1::uuid, '{}', '{"format": 1}', $2::text, now() + number * interval '1 ms',
                    CASE WHEN $2::text = 'completed' THEN now() END
                FROM generate_series(1, 300) AS number
                """
            try await test.query(admission, [.uuid(user), .text("completed")])
            try await test.query("ANALYZE template_executions")
            try await test.query(admission, [.uuid(user), .text("queued")])
            let plan = try await test.database.transaction { session throws(DatabaseError) in
                try session.script("PREPARE taking AS \(Claim.taking)")
                let rows = try session.query("EXPLAIN (COSTS OFF) EXECUTE taking (gen_random_uuid(), 5, '{}', '{}')")
                try session.script("DEALLOCATE taking")
                return (0..<rows.count).compactMap { rows.text($0, 0) }
            }
            let locking = try #require(plan.firstIndex { $0.contains("LockRows") })
            #expect(plan[locking + 1].contains("Index Scan using idx_executions_turns"))
        }
    }
}

extension ProviderCall {
    static func demo(step: String = "1", attempt: Int = 1, model: String? = "claude-sonnet-5") -> ProviderCall {
        ProviderCall(
            id: TestDatabase.id(), stepID: step, attempt: attempt,
            route: Route(
                pluginID: "claude", pluginVersion: "1.2.3", operation: "ai.generate", defaultModel: "default-model",
                ledgerName: "claude", isMetered: true), model: model)
    }
}

extension CallSettlement {
    static func demo(
        _ call: ProviderCall, state: SettlementState = .settled, cost: Money, error: ProviderError? = nil
    ) -> CallSettlement {
        CallSettlement(
            id: call.id, state: state, model: "claude-sonnet-5-20260101",
            usage: TokenUsage(input: 10, output: 20, cacheRead: 30, cacheWrite5m: 40, cacheWrite1h: 50),
            rawUsage: ["input_tokens": 10], cost: cost, priceVersion: "2026-11", latency: .milliseconds(1_234),
            error: error, providerRequestID: "req_1")
    }
}
