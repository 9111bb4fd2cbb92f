import Domain
import Testing

@testable import Persistence

@Suite struct TakeOverTests {
    @Test func anExpiredLeaseIsTakenOverWithAllThatWasDone() async throws {
        try await TestDatabase.run { test async throws in
            let first = try await test.makeClaimed()
            let ledger = PostgresLedger(test.database)
            let failure = ExecutionError(
                code: "bad", message: "It failed", step: "Step 2", isRetryable: true, action: "Try again",
                leftovers: ["setup_domain at railway"])
            let call = ProviderCall.demo()
            _ = try await ledger.open(call, fence: first.fence)
            _ = try await ledger.open(.demo(step: "2", attempt: 2), fence: first.fence)
            _ = try await ledger.checkpoint(
                .make(
                    first.fence, step: .make("1"), settlements: [.demo(call, cost: Money(picoDollars: 7))],
                    logs: [.make(1), .make(2)], progress: 40))
            _ = try await ledger.checkpoint(.make(first.fence, step: .make("2", output: .null, error: failure)))

            let early = TestDatabase.id()
            try await test.makeSteady(early)
            let nothing = try await ledger.claim(worker: early, limit: 10, inFlight: [])
            #expect(nothing.isEmpty)
            let claimed = try await test.takeOver(first.fence)
            #expect(claimed.fence.epoch == 2 && claimed.isResumed && claimed.progress == 40)
            #expect(
                claimed.finishedSteps == [.make("1"), .make("2", output: .null, error: failure)])
            #expect(claimed.nextLogSequence == 3)
            #expect(claimed.calls.map(\.cost.picoDollars) == [7, 0])
            #expect(claimed.calls.map(\.attempt) == [1, 2] && claimed.calls.map(\.state) == [.settled, .unknown])
            let states = try await test.text("SELECT string_agg(state, ',' ORDER BY attempt) FROM ai_api_calls")
            #expect(states == "settled,unknown")
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
                    let claimed = try await test.takeOver(first.fence)
                    #expect(claimed.fence.epoch == 2 && claimed.progress == 0)
                    release.counter.add(2)
                    try await group.waitForAll()
                }
            }
        }
    }

    /// After an outage, a promotion or a pause everyone's lease looks expired, and nobody is dead.
    @Test func aWorkerTakesOverOnlyOnceItHasHeldItsLeaseForAWholeOne() async throws {
        try await TestDatabase.run { test async throws in
            let first = try await test.makeClaimed().fence
            let ledger = PostgresLedger(test.database)
            try await test.expireLease(of: first.worker)
            let successor = TestDatabase.id()
            try await ledger.renew(worker: successor, lease: .seconds(60))
            let early = try await ledger.claim(worker: successor, limit: 1, inFlight: [])
            // What waits needs no patience.
            let queued = try await test.makeExecution(user: try await test.makeUser())
            let waiting = try await ledger.claim(worker: successor, limit: 5, inFlight: [])
            #expect(early.isEmpty && waiting.map(\.fence.executionID) == [queued])
            try await test.query(
                "UPDATE workers SET steady_since = steady_since - 1.1 * lease WHERE id = $1::uuid", [.uuid(successor)])
            let late = try await ledger.claim(worker: successor, limit: 5, inFlight: [queued])
            #expect(late.map(\.fence.executionID) == [first.executionID])
        }
    }

    @Test func aLeaseIsSteadyWhileItIsRenewedInTime() async throws {
        try await TestDatabase.run { test async throws in
            let ledger = PostgresLedger(test.database)
            let worker = TestDatabase.id()
            let isSteady = "SELECT steady_since < now() - lease FROM workers"
            try await test.makeSteady(worker)
            try await ledger.renew(worker: worker, lease: .seconds(60))
            #expect(try await test.text(isSteady) == "t")
            try await test.expireLease(of: worker)
            try await ledger.renew(worker: worker, lease: .seconds(60))
            #expect(try await test.text(isSteady) == "f")
        }
    }

    @Test func aCostThatCannotBeReadIsNotTakenForNothing() async throws {
        try await TestDatabase.run { test async throws in
            let first = try await test.makeClaimed().fence
            _ = try await PostgresLedger(test.database).open(.demo(), fence: first)
            try await test.query("UPDATE ai_api_calls SET cost = 999999999999")
            let error = await #expect(throws: LedgerError.self) { try await test.takeOver(first) }
            #expect(error?.code == .rejected && error?.message.contains("cost") == true)
            #expect(try await test.text("SELECT owner FROM template_executions") == first.worker.description)
            #expect(try await test.text("SELECT state FROM ai_api_calls") == "open")
        }
    }
}
