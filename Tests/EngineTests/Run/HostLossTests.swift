import Domain
import Synchronization
import Testing

@testable import Engine

/// What takes its host down each time, and what a host that was lost knew.
@Suite struct HostLossTests {
    private let world = FakeDeployment()
    private let target = FakeTarget()

    private func fixture() -> RunFixture {
        var fixture = RunFixture()
        fixture.ports = world.ports
        fixture.keepLease()
        return fixture
    }

    private func effect(_ command: String, of step: String, _ state: Effect.State) -> Effect {
        Effect(
            key: "\(UUIDv7(at: Timestamp(microseconds: 0)))/\(step)", stepID: step, command: command,
            provider: "railway", pluginID: "railway", request: [:], state: state)
    }

    private func record(_ step: String, _ output: JSON = [:]) -> StepRecord {
        StepRecord(
            stepID: step, name: "Step \(step)", state: .succeeded, output: output, error: nil, attempts: 1,
            startedAt: Timestamp(microseconds: 1), finishedAt: Timestamp(microseconds: 2))
    }

    @Test func `a system step that takes its host down each time fails in the end`() async throws {
        let steps = plan(.system("1", "setup_database"))
        let fixture = fixture()
        let ledger = fixture.ledger
        let counted = Mutex<[Int?]>([])
        let dispatch = HookedDispatch(target) { _ in
            counted.withLock { $0.append(ledger.state.withLock { $0.begunAgain["1"] }) }
        }
        let intended = effect("setup_database", of: "1", .intended)
        try await fixture.run(.fresh(plan: steps, effects: [intended], begunAgain: ["1": 4]), dispatch)
        #expect(fixture.ledger.ending?.state == .completed)
        // Durable before the provider is asked anything, looking included.
        #expect(counted.withLock { $0 } == [5, 5])
        #expect(target.calls.map(\.route.operation) == ["deploy.lookup", "deploy.provision_database"])

        let last = self.fixture()
        let asked = target.calls.count
        try await last.run(.fresh(plan: steps, effects: [intended], begunAgain: ["1": 5]), target)
        #expect(last.ledger.ending?.error?.code == "step_lost" && last.ledger.ending?.error?.step == "Step 1")
        #expect(target.calls.count == asked)
    }

    @Test func `a run to which nothing has happened counts nothing`() async throws {
        let fixture = fixture()
        try await fixture.run(.fresh(plan: .deploying()), target)
        #expect(fixture.ledger.ending?.state == .completed)
        #expect(fixture.ledger.state.withLock { $0.begunAgain }.isEmpty)
    }

    @Test func `undoing that takes its host down each time is left, and named`() async throws {
        let cut = effect("deploy_application", of: "4", .undoFailed)
        let other = effect("setup_database", of: "2", .undoFailed)
        target.state.withLock { $0.exists = ["setup_database", "deploy_application"] }
        let fixture = fixture()
        let failure = ExecutionError.stepFailed("Step 5")
        try await fixture.run(
            .fresh(
                plan: .deploying(), finished: [record("1")], effects: [other, cut], failure: failure,
                begunAgain: ["undo 4": 5]), target)
        #expect(target.exists == ["deploy_application"])
        let ending = try #require(fixture.ledger.ending)
        #expect(ending.state == .failed && ending.error?.leftovers == ["deploy_application at railway"])
        #expect(fixture.ledger.state.withLock { $0.begunAgain } == ["undo 2": 1])
    }

    @Test func `why a run fails is durable before anything is undone`() async throws {
        target.state.withLock { $0.errors["core.setup_monitoring"] = [ProviderError(.invalid, "no")] }
        let fixture = fixture()
        let ledger = fixture.ledger
        let known = Mutex<[String]>([])
        let dispatch = HookedDispatch(target) { invocation in
            guard invocation.route.operation == "core.stop" else { return }
            known.withLock { $0 += ledger.state.withLock { $0.failures.map(\.code) } }
        }
        try await fixture.run(.fresh(plan: .deploying()), dispatch)
        #expect(known.withLock { $0 } == ["monitoring_refused"])
    }

    @Test func `a run whose host was lost while it undid still says what first went wrong`() async throws {
        target.state.withLock { $0.exists = ["setup_database"] }
        let reason = ExecutionError(
            code: "success_criteria_failed", message: "a success criterion does not hold", step: nil,
            isRetryable: true, action: "read the deployment's logs")
        let fixture = fixture()
        try await fixture.run(
            .fresh(
                plan: .deploying(), finished: [record("1"), record("2")],
                effects: [effect("setup_database", of: "2", .undoFailed)], failure: reason), target)
        #expect(fixture.ledger.ending?.state == .failed && fixture.ledger.ending?.error == reason)
        #expect(fixture.ledger.state.withLock { $0.failures }.isEmpty)
        #expect(target.exists.isEmpty && target.calls.map(\.route.operation) == ["deploy.delete"])
    }

    @Test func `what fails once the lease is lost is not the step's failure`() async throws {
        let fixture = fixture()
        let clock = fixture.clock
        let dispatch = ScriptedDispatch { _, _ throws(ProviderError) in
            // The host was stopped in the middle of the call, and its peer has gone.
            clock.advance(by: .seconds(60))
            throw ProviderError(.upstream, "the connection was closed")
        }
        await #expect(throws: RunInterruption.leaseLost) {
            try await fixture.run(.fresh(plan: plan(.ai("1", attempts: 1))), dispatch)
        }
        #expect(fixture.ledger.records.isEmpty && fixture.ledger.ending == nil)
    }

    @Test func `a call learns that its host may act no more`() async throws {
        let fixture = fixture()
        let clock = fixture.clock
        let answers = Mutex<[Bool]>([])
        let dispatch = HookedDispatch(target) { invocation in
            guard invocation.route.operation == "deploy.deploy" else { return }
            answers.withLock { $0.append(invocation.mayAct()) }
            clock.advance(by: .seconds(20))
            answers.withLock { $0.append(invocation.mayAct()) }
        }
        _ = try? await fixture.run(.fresh(plan: .deploying()), dispatch)
        #expect(answers.withLock { $0 } == [true, false])
    }

    @Test func `a vault that cannot be read for a while costs no verification`() async throws {
        let ports = world.ports
        let flaky = DeploymentPorts(
            vault: UnreadableVault(world, reads: 2), archives: ports.archives, probe: ports.probe,
            schemas: ports.schemas, repositoryURL: ports.repositoryURL, password: ports.password)
        var fixture = fixture()
        fixture.ports = flaky
        let steps = plan(.ai("1"))
        let checks = ExecutionPlan(
            templateSlug: "t", templateVersion: "1.0.0", deploymentConfig: [:], steps: steps.steps,
            requiredOutputs: [], healthChecks: [.database(connectionString: "{{url}}")])
        let reference = try await world.keep("postgresql://db", as: "url", of: UUIDv7(at: Timestamp(microseconds: 0)))
        try await fixture.run(.fresh(plan: checks, configuration: ["url": reference.json]), target)
        #expect(fixture.ledger.ending?.state == .completed, "\(fixture.ledger.ending?.error?.message ?? "")")
        #expect(world.state.withLock { $0.probed } == ["postgresql://db"])
    }
}

/// A vault behind a database that is away for its first reads.
private final class UnreadableVault: SecretVault {
    private let vault: any SecretVault
    private let failures: Mutex<Int>

    init(_ vault: any SecretVault, reads: Int) {
        self.vault = vault
        failures = Mutex(reads)
    }

    func keep(_ value: String, as name: String, of execution: UUIDv7) async throws(LedgerError) -> SecretReference {
        try await vault.keep(value, as: name, of: execution)
    }

    func replace(
        _ value: String, as name: String, of execution: UUIDv7
    ) async throws(LedgerError) -> SecretReference {
        try await vault.replace(value, as: name, of: execution)
    }

    func values(
        _ references: [SecretReference], of execution: UUIDv7
    ) async throws(LedgerError) -> [SecretReference: String] {
        let isAway = failures.withLock { left in
            defer { left = max(0, left - 1) }
            return left > 0
        }
        if isAway { throw LedgerError(.unavailable, "down") }
        return try await vault.values(references, of: execution)
    }
}
