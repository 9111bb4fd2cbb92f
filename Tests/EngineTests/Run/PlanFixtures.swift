import Domain
import Logging
import Synchronization

@testable import Engine

extension PlannedStep {
    /// An AI step whose prompt is its id.
    static func ai(
        _ id: String, after dependencies: [Int] = [], prompt: String? = nil, optional: Bool = false,
        attempts: Int = 3, model: String? = nil, schema: JSON = AnswerSchemaFixture.envelope
    ) -> PlannedStep {
        PlannedStep(
            id: id, name: "Step \(id)", slug: "step_\(id)",
            action: .ai(
                AIAction(
                    provider: "claude", model: model, system: nil, promptTemplate: prompt ?? "prompt \(id)",
                    maximumOutputTokens: 1_000, answerSchema: schema)),
            dependencies: dependencies, outputNames: ["out_\(id)", "step_\(id)"], isOptional: optional,
            timeout: .seconds(60), maximumAttempts: attempts)
    }
}

enum AnswerSchemaFixture {
    static let envelope: JSON = [
        "type": "object",
        "properties": ["summary": ["type": "string"], "files": ["type": "array", "items": ["type": "object"]]],
        "required": ["summary", "files"], "additionalProperties": false,
    ]
}

func plan(_ steps: PlannedStep...) -> ExecutionPlan {
    ExecutionPlan(
        templateSlug: "t", templateVersion: "1.0.0", deploymentConfig: [:], steps: steps, requiredOutputs: [])
}

/// Runs one claim to its end with the given providers.
struct RunFixture {
    let ledger = MemoryLedger()
    let clock = TestClock()
    let lease: WorkerLease
    var ports: DeploymentPorts?

    init() {
        lease = WorkerLease(duration: .seconds(15), now: clock.engineClock.instant)
        lease.renewed(sentAt: .zero)
    }

    /// Renews the lease whenever time passes, as the engine does.
    func keepLease() {
        let (lease, clock) = (lease, clock.engineClock)
        self.clock.whenSleeping { lease.renewed(sentAt: clock.instant()) }
    }

    func run(_ claim: ClaimedExecution, _ dispatch: any Dispatch) async throws {
        let services = EngineServices(
            dispatch: dispatch, ledger: ledger, pricing: FlatPricing(), deployment: ports, signals: ExecutionSignals(),
            clock: clock.engineClock, retry: RetryPolicy(),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), jitter: { 1 })
        let (stream, continuation) = AsyncStream.makeStream(of: StepEvent.self)
        ledger.state.withLock { $0.owners[claim.fence.executionID] = $0.owners[claim.fence.executionID] ?? claim.fence }
        var run = try ExecutionRun(
            claim, services: services, lease: lease, events: (stream, { continuation.yield($0) }))
        try await run.run()
    }
}
