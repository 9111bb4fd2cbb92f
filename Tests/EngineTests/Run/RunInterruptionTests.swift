import Domain
import Synchronization
import Testing

@testable import Engine

@Suite struct RunInterruptionTests {
    @Test func aFencedRunWritesNothingMore() async throws {
        let fixture = RunFixture()
        let claim = ClaimedExecution.fresh(plan: plan(.ai("1"), .ai("2", after: [0])))
        let (ledger, execution) = (fixture.ledger, claim.fence.executionID)
        let dispatch = ScriptedDispatch { _, _ in
            // Another worker takes over while the provider answers.
            let successor = Fence(executionID: execution, worker: UUIDv7(at: Timestamp(microseconds: 9)), epoch: 2)
            ledger.state.withLock { $0.owners[execution] = successor }
            return answer("too late")
        }
        await #expect(throws: RunInterruption.fenced) { try await fixture.run(claim, dispatch) }
        #expect(fixture.ledger.records.isEmpty && fixture.ledger.ending == nil)
        #expect(dispatch.invocations.count == 1)
    }

    @Test func withoutAFreshLeaseNothingIsSent() async throws {
        let fixture = RunFixture()
        fixture.clock.advance(by: .seconds(8))
        let dispatch = ScriptedDispatch { _, _ in answer("never") }
        await #expect(throws: RunInterruption.leaseLost) {
            try await fixture.run(.fresh(plan: plan(.ai("1"))), dispatch)
        }
        #expect(dispatch.invocations.isEmpty && fixture.ledger.opened.isEmpty)
    }

    @Test func anUnavailableDatabaseIsWaitedFor() async throws {
        let fixture = RunFixture()
        fixture.ledger.state.withLock {
            $0.checkpointErrors = [LedgerError(.unavailable, "down"), LedgerError(.unavailable, "down")]
        }
        try await fixture.run(.fresh(plan: plan(.ai("1"))), ScriptedDispatch { _, _ in answer("ok") })
        #expect(fixture.ledger.ending?.state == .completed)
        #expect(fixture.clock.sleeps == [.milliseconds(50), .milliseconds(100)])
    }

    @Test func aDatabaseThatStaysAwayCostsTheLease() async throws {
        let fixture = RunFixture()
        fixture.ledger.state.withLock {
            $0.checkpointErrors = Array(repeating: LedgerError(.unavailable, "down"), count: 100)
        }
        await #expect(throws: RunInterruption.leaseLost) {
            try await fixture.run(.fresh(plan: plan(.ai("1"))), ScriptedDispatch { _, _ in answer("ok") })
        }
        #expect(fixture.ledger.checkpoints.isEmpty)
    }

    @Test func aResultTheDatabaseRefusesFailsItsStep() async throws {
        let fixture = RunFixture()
        fixture.ledger.state.withLock { $0.rejectsStepsContaining = "poison" }
        try await fixture.run(.fresh(plan: plan(.ai("1"))), ScriptedDispatch { _, _ in answer("poison") })
        #expect(fixture.ledger.records.map(\.state) == [.failed])
        #expect(fixture.ledger.ending?.error?.code == "result_not_storable")
    }

    @Test func aLateRenewalIsWaitedFor() async throws {
        let fixture = RunFixture()
        fixture.clock.advance(by: .seconds(8))
        fixture.clock.whenSleeping { fixture.lease.renewed(sentAt: .seconds(8)) }
        try await fixture.run(.fresh(plan: plan(.ai("1"))), ScriptedDispatch { _, _ in answer("ok") })
        #expect(fixture.clock.sleeps == [.milliseconds(50)])
        #expect(fixture.ledger.ending?.state == .completed)
    }

    @Test func aLostLeaseStaysLost() {
        let clock = TestClock()
        let lease = WorkerLease(duration: .seconds(15), now: clock.engineClock.instant)
        #expect(!lease.isLost && !lease.mayStartEffects)
        lease.renewed(sentAt: .zero)
        #expect(lease.mayStartEffects)
        clock.advance(by: .seconds(15))
        #expect(lease.isLost)
        lease.renewed(sentAt: .seconds(14))
        #expect(lease.isLost && !lease.mayStartEffects)
    }

    @Test func aResultRefusedAtTheEndFailsTheRunInsteadOfLosingIt() async throws {
        let fixture = RunFixture()
        fixture.ledger.state.withLock { $0.rejectsEndingsOf = .completed }
        try await fixture.run(.fresh(plan: plan(.ai("1"))), ScriptedDispatch { _, _ in answer("ok") })
        #expect(fixture.ledger.ending?.state == .failed)
        #expect(fixture.ledger.ending?.error?.code == "result_not_storable")
        #expect(fixture.ledger.lines.map(\.sequence) == Array(1...Int64(fixture.ledger.lines.count)))
    }

    @Test func aPlanFromTheFutureIsRefused() {
        var stored = plan(.ai("1")).json
        #expect(throws: Never.self) { try ExecutionPlan(stored) }
        stored.set("format", 2)
        #expect {
            try ExecutionPlan(stored)
        } throws: { error in
            "\(error)".contains("its format is 2, this host reads 1")
        }
    }
}
