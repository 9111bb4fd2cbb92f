import Domain
import Synchronization
import Testing

@testable import Persistence

@Suite struct ClaimTests {
    private static func expireLeases(_ test: TestDatabase) async throws {
        try await test.query("UPDATE workers SET lease_expires_at = now() - interval '1 second', lease = '0'")
    }

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
                            let some = try await ledger.claim(worker: worker, limit: 3)
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
            let claimed = try #require(try await ledger.claim(worker: worker, limit: 1).first)
            #expect(claimed.fence == Fence(executionID: first, worker: worker, epoch: 1))
            #expect(claimed.userID == user && !claimed.isResumed && claimed.progress == 0)
            #expect(claimed.configuration == ["app_name": "Ünïcode 🚀"])
            #expect(try ExecutionPlan(claimed.plan) == .demo())
            #expect(claimed.finishedSteps.isEmpty && claimed.calls.isEmpty && claimed.nextLogSequence == 1)
            let rest = try await ledger.claim(worker: worker, limit: 10)
            #expect(rest.map(\.fence.executionID) == [second])
        }
    }

    @Test func aWorkerWithoutALeaseClaimsNothing() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            _ = try await test.makeExecution(user: user)
            let ledger = PostgresLedger(test.database)
            let worker = TestDatabase.id()
            let none = try await ledger.claim(worker: worker, limit: 1)
            try await ledger.renew(worker: worker, lease: .seconds(60))
            let one = try await ledger.claim(worker: worker, limit: 1)
            #expect(none.isEmpty && one.count == 1)
        }
    }

    @Test func anExpiredLeaseIsTakenOverWithAllThatWasDone() async throws {
        try await TestDatabase.run { test async throws in
            let first = try await test.makeClaimed()
            let ledger = PostgresLedger(test.database)
            let failure = ExecutionError(
                code: "bad", message: "It failed", step: "Step 2", isRetryable: true, action: "Try again")
            let call = ProviderCall.demo()
            _ = try await ledger.open(call, fence: first.fence)
            _ = try await ledger.open(.demo(step: "2", attempt: 2), fence: first.fence)
            _ = try await ledger.checkpoint(
                .make(
                    first.fence, step: .make("1"), settlements: [.demo(call, cost: Money(picoDollars: 7))],
                    logs: [.make(1), .make(2)], progress: 40))
            _ = try await ledger.checkpoint(.make(first.fence, step: .make("2", output: .null, error: failure)))

            let successor = TestDatabase.id()
            try await ledger.renew(worker: successor, lease: .seconds(60))
            let early = try await ledger.claim(worker: successor, limit: 10)
            #expect(early.isEmpty)
            try await test.query(
                "UPDATE workers SET lease_expires_at = now() - interval '1 second', lease = '0' WHERE id = $1::uuid",
                [.uuid(first.fence.worker)])
            let claimed = try #require(try await ledger.claim(worker: successor, limit: 10).first)
            #expect(claimed.fence.epoch == 2 && claimed.isResumed && claimed.progress == 40)
            #expect(
                claimed.finishedSteps == [.make("1"), .make("2", output: .null, error: failure)])
            #expect(claimed.nextLogSequence == 3)
            #expect(claimed.calls.map(\.cost.picoDollars) == [7, 0])
            #expect(claimed.calls.map(\.attempt) == [1, 2])
            let states = try await test.text("SELECT string_agg(state, ',' ORDER BY attempt) FROM ai_api_calls")
            #expect(states == "settled,unknown")
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
            let claimed = try await ledger.claim(worker: successor, limit: 1)
            #expect(fenced == .fenced)
            #expect(claimed.first?.fence.epoch == 2 && claimed.first?.isResumed == true)
        }
    }

    /// A stopped host's batch was sent in part: its session holds the row's lock for as long as it stands.
    @Test func aDeadWorkersSessionThatHoldsTheRowIsEnded() async throws {
        var zombie = TestDatabase.small
        zombie.applicationName = "aibackend-zombie"
        try await TestDatabase.run { test async throws in
            try await test.another(zombie) { old in
                let first = try await test.makeClaimed()
                try await PostgresLedger(old).renew(worker: first.fence.worker, lease: .seconds(60))
                let locked = AsyncStream<Void>.makeStream()
                let release = EventBox()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        let error = await #expect(throws: LedgerError.self) {
                            try await old.transaction { session throws(DatabaseError) in
                                _ = try session.query(
                                    "UPDATE template_executions SET progress_percentage = 77 WHERE id = $1::uuid",
                                    [.uuid(first.fence.executionID)])
                                locked.continuation.finish()
                                release.counter.wait()
                                _ = try session.query("SELECT 1")
                                throw .aborted(LedgerError(.rejected, "the session was not ended"))
                            }
                        }
                        #expect(error?.message == "the session was not ended")
                    }
                    for await _ in locked.stream {}
                    try await Self.expireLeases(test)
                    let ledger = PostgresLedger(test.database)
                    let successor = TestDatabase.id()
                    try await ledger.renew(worker: successor, lease: .seconds(60))
                    let claimed = try await ledger.claim(worker: successor, limit: 1)
                    #expect(claimed.first?.fence.epoch == 2)
                    #expect(claimed.first?.progress == 0)
                    release.counter.add(2)
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func aClaimWhoseCommitWasCutOffIsHandedOutByTheNext() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await test.makeClaimed()
            let ledger = PostgresLedger(test.database)
            let token = try #require(UUIDv7(try await test.text("SELECT claim_token FROM template_executions") ?? ""))
            ledger.unresolvedClaims.withLock { $0 = [token] }
            let again = try await ledger.claim(worker: claimed.fence.worker, limit: 5)
            #expect(again.map(\.fence) == [claimed.fence])
            let none = try await ledger.claim(worker: claimed.fence.worker, limit: 5)
            #expect(none.isEmpty)
        }
    }

    @Test func aLeaseIsInTheServersTimeAndRenewable() async throws {
        try await TestDatabase.run { test async throws in
            let ledger = PostgresLedger(test.database)
            let worker = TestDatabase.id()
            try await ledger.renew(worker: worker, lease: .milliseconds(1_500))
            try await ledger.renew(worker: worker, lease: .seconds(90))
            let left = try await test.count("SELECT extract(epoch FROM lease_expires_at - now())::bigint FROM workers")
            #expect((80...90).contains(left ?? 0))
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
