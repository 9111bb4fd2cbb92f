import Domain
import Synchronization
import Testing

@testable import Engine

@Suite struct CleanupRunTests {
    private let world = FakeDeployment()
    private let target = FakeTarget()
    private let id = UUIDv7(at: Timestamp(microseconds: 0))
    private let sick = ProbeResult(isHealthy: false, latency: .zero, reason: "connection refused")

    private func fixture() -> RunFixture {
        var fixture = RunFixture()
        fixture.ports = world.ports
        fixture.keepLease()
        return fixture
    }

    /// All steps of the plan done, some effects in the states given.
    private func claim(
        _ plan: ExecutionPlan, finished: [String] = ["1", "2", "3", "4", "5", "6"], states: [String: Effect.State]
    ) -> ClaimedExecution {
        let outputs: [String: JSON] = [
            "4": ["app_url": "http://app", "admin_credentials": ["email": "a@b.example"]]
        ]
        let records = plan.steps.filter { finished.contains($0.id) }.map { step in
            StepRecord(
                stepID: step.id, name: step.name, state: .succeeded, output: outputs[step.id] ?? [:], error: nil,
                attempts: 1, startedAt: Timestamp(microseconds: 1), finishedAt: Timestamp(microseconds: 2))
        }
        let effects = plan.steps.compactMap { step -> Effect? in
            guard case .system(let action) = step.action, let state = states[step.id] else { return nil }
            return Effect(
                key: "\(id)/\(step.id)", stepID: step.id, command: action.command, provider: "railway",
                pluginID: "railway", request: [:], state: state)
        }
        return .fresh(plan: plan, id: id, finished: records, nextLogSequence: 10, effects: effects)
    }

    @Test(arguments: [Effect.State.undone, .undoFailed])
    func `a run whose undoing had begun is undone to the end, however healthy the rest is`(
        state: Effect.State
    ) async throws {
        target.state.withLock { $0.exists = ["setup_database", "deploy_application", "setup_domain"] }
        let plan = ExecutionPlan.deploying(checks: [.http(url: "{{app_url}}/health", expectedStatus: 200)])
        let fixture = fixture()
        try await fixture.run(claim(plan, states: ["2": .done, "4": .done, "5": .done, "6": state]), target)
        let ending = try #require(fixture.ledger.ending)
        #expect(ending.state == .failed && ending.error?.code == "run_failed")
        #expect(target.exists.isEmpty && ending.error?.leftovers == [])
        #expect(world.state.withLock { $0.probed }.isEmpty)
    }

    @Test func `a run whose undoing had begun starts no step again`() async throws {
        target.state.withLock { $0.exists = ["setup_database"] }
        let fixture = fixture()
        try await fixture.run(claim(.deploying(), finished: ["1", "2"], states: ["2": .undoFailed]), target)
        #expect(fixture.ledger.ending?.state == .failed)
        #expect(target.calls.map(\.route.operation) == ["deploy.delete"])
    }

    @Test func `that undoing begins is durable before anything is undone`() async throws {
        target.state.withLock { $0.errors["core.setup_monitoring"] = [ProviderError(.invalid, "no")] }
        let fixture = fixture()
        let ledger = fixture.ledger
        let marked = Mutex<[Set<String>]>([])
        let dispatch = HookedDispatch(target) { invocation in
            guard invocation.route.operation == "core.stop" else { return }
            let stepIDs = Set(ledger.effects.filter { $0.state == .undoFailed }.map(\.stepID))
            marked.withLock { $0.append(stepIDs) }
        }
        try await fixture.run(.fresh(plan: .deploying()), dispatch)
        #expect(marked.withLock { $0 } == [["2", "4", "5", "6"]])
        #expect(ledger.checkpoints.contains { $0.currentStep == "Cleanup" })
        #expect(ledger.effects.last { $0.stepID == "2" }?.state == .undone)
    }

    @Test func `a host that no longer owns the run undoes nothing`() async throws {
        world.state.withLock {
            $0.findings = [ProbeResult(isHealthy: true, latency: .zero)] + Array(repeating: sick, count: 1_000)
        }
        let fixture = fixture()
        let (ledger, id, world) = (fixture.ledger, id, world)
        let (lease, clock) = (fixture.lease, fixture.clock.engineClock)
        fixture.clock.whenSleeping {
            lease.renewed(sentAt: clock.instant())
            guard world.state.withLock({ $0.probed.count }) > 1 else { return }
            let successor = Fence(executionID: id, worker: UUIDv7(at: Timestamp(microseconds: 9)), epoch: 2)
            ledger.state.withLock { $0.owners[id] = successor }
        }
        let plan = ExecutionPlan.deploying(checks: [.http(url: "{{app_url}}/health", expectedStatus: 200)])
        await #expect(throws: RunInterruption.fenced) { try await fixture.run(.fresh(plan: plan, id: id), target) }
        #expect(target.calls(of: "deploy.delete").isEmpty && target.calls(of: "core.stop").isEmpty)
    }

    @Test func `a host that loses its lease while it undoes goes no further`() async throws {
        target.state.withLock { $0.errors["core.setup_monitoring"] = [ProviderError(.invalid, "no")] }
        let fixture = fixture()
        let clock = fixture.clock
        let dispatch = HookedDispatch(target) { invocation in
            if invocation.route.operation == "core.stop" { clock.advance(by: .seconds(20)) }
        }
        await #expect(throws: RunInterruption.leaseLost) {
            try await fixture.run(.fresh(plan: .deploying()), dispatch)
        }
        #expect(target.calls(of: "core.stop").count == 1 && target.calls(of: "deploy.delete").isEmpty)
        #expect(fixture.ledger.ending == nil)
    }

    @Test(.timeLimit(.minutes(1)))
    func `what the run looks at is shown while it looks`() async throws {
        let fixture = fixture()
        let ledger = fixture.ledger
        let shown = Mutex(false)
        let ports = DeploymentPorts(
            vault: world, archives: world,
            probe: WaitingProbe {
                for await _ in ledger.changed {
                    guard ledger.checkpoints.contains(where: { $0.currentStep == "Verification" }) else { continue }
                    return shown.withLock { $0 = true }
                }
            }, schemas: world, repositoryURL: world.ports.repositoryURL, password: world.ports.password)
        var waiting = fixture
        waiting.ports = ports
        let plan = ExecutionPlan.deploying(checks: [.database(connectionString: "{{database_url}}")])
        try await waiting.run(.fresh(plan: plan), target)
        #expect(shown.withLock { $0 } && ledger.ending?.state == .completed)
    }

    @Test func `what an optional step may have left behind when it failed is undone`() async throws {
        target.state.withLock { $0.lostAnswers["deploy.setup_domain"] = [ProviderError(.upstream, "cut")] }
        let fixture = fixture()
        try await fixture.run(.fresh(plan: .deploying()), target)
        #expect(fixture.ledger.ending?.state == .completed)
        #expect(fixture.ledger.records.first { $0.stepID == "5" }?.state == .failedOptional)
        #expect(
            target.exists == ["setup_database", "deploy_application", "create_deployment_config", "setup_monitoring"])
        #expect(fixture.ledger.effects.last { $0.stepID == "5" }?.state == .undone)
        #expect(fixture.ledger.effects.last { $0.stepID == "4" }?.state == .done)
    }

    @Test func `what an optional step left behind stays where the template undoes no such thing`() async throws {
        target.state.withLock { $0.lostAnswers["deploy.setup_domain"] = [ProviderError(.upstream, "cut")] }
        let fixture = fixture()
        try await fixture.run(.fresh(plan: .deploying(cleanup: [.deleteDeployment])), target)
        #expect(fixture.ledger.ending?.state == .completed && target.exists.contains("setup_domain"))
        #expect(target.calls(of: "deploy.delete").isEmpty)
    }

    @Test func `a run that was cut while it took an optional step back still completes`() async throws {
        var fresh = claim(.deploying(), finished: ["1", "2", "3", "4", "6"], states: ["2": .done, "4": .done])
        let optional = StepRecord(
            stepID: "5", name: "Step 5", state: .failedOptional, output: .null, error: .stepFailed("Step 5"),
            attempts: 1, startedAt: Timestamp(microseconds: 1), finishedAt: Timestamp(microseconds: 2))
        let effect = Effect(
            key: "\(id)/5", stepID: "5", command: "setup_domain", provider: "railway", pluginID: "railway",
            request: [:], state: .undoFailed)
        fresh = .fresh(
            plan: .deploying(), id: id, finished: fresh.finishedSteps + [optional], nextLogSequence: 10,
            effects: fresh.effects + [effect])
        let fixture = fixture()
        try await fixture.run(fresh, target)
        #expect(fixture.ledger.ending?.state == .completed)
        #expect(fixture.ledger.effects.last { $0.stepID == "5" }?.state == .undone)
    }

    @Test func `a webhook hears of an end that the database did not take as it was`() async throws {
        let fixture = fixture()
        fixture.ledger.state.withLock { $0.rejectsEndingsOf = .completed }
        try await fixture.run(.fresh(plan: .deploying(), hasWebhook: true), target)
        let events = fixture.ledger.checkpoints.flatMap(\.events)
        #expect(fixture.ledger.ending?.state == .failed)
        #expect(events.last?.type == "execution.failed" && events.last?.data["error"] != nil)
    }
}

/// Providers before each call of which something happens.
final class HookedDispatch: Dispatch {
    private let target: any Dispatch
    private let hook: @Sendable (Invocation) -> Void

    init(_ target: any Dispatch, _ hook: @escaping @Sendable (Invocation) -> Void) {
        self.target = target
        self.hook = hook
    }

    var routes: [RouteKey] { target.routes }
    func route(for key: RouteKey) -> Route? { target.route(for: key) }

    func invoke(
        _ invocation: Invocation, onChunk: @Sendable (CallChunk) async -> Void
    ) async throws(ProviderError) -> JSON {
        hook(invocation)
        return try await target.invoke(invocation, onChunk: onChunk)
    }
}

/// Everything is healthy; a database when something has happened.
private struct WaitingProbe: HealthProbe {
    let wait: @Sendable () async -> Void

    func http(_ url: String, expectedStatus: Int?, timeout: Duration) async -> ProbeResult {
        ProbeResult(isHealthy: true, latency: .zero)
    }

    func database(_ url: String, timeout: Duration) async -> ProbeResult {
        await wait()
        return ProbeResult(isHealthy: true, latency: .zero)
    }
}
