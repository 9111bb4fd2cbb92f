import Domain
import Logging
import Metrics

/// One execution, from its claim by this host to its end or interruption.
///
/// Steps run as child tasks and report events; this loop alone turns them into checkpoints, one at a time, so that
/// what is durable always is a prefix of what happened. Nothing starts on the strength of a step that is not durable.
struct ExecutionRun {
    private let claim: ClaimedExecution
    private let plan: ExecutionPlan
    private let services: EngineServices
    private let lease: WorkerLease
    private let events: AsyncStream<StepEvent>
    private let report: @Sendable (StepEvent) -> Void

    private var state: RunState
    private var outputs: [String: JSON] = [:]
    private var journal: RunJournal
    private var interruption: RunInterruption?
    private var isDraining = false
    private var isFlushScheduled = false
    private var failure: ExecutionError?

    init(
        _ claim: ClaimedExecution, services: EngineServices, lease: WorkerLease,
        events: (stream: AsyncStream<StepEvent>, report: @Sendable (StepEvent) -> Void)
    ) throws(PlanUnreadable) {
        self.claim = claim
        self.services = services
        self.lease = lease
        self.events = events.stream
        report = events.report
        plan = try ExecutionPlan(claim.plan)
        state = RunState(
            plan: plan, finished: Dictionary(claim.finishedSteps.map { ($0.stepID, $0.state) }) { first, _ in first },
            progress: claim.progress)
        journal = RunJournal(claim, plan: plan, services: services, lease: lease)
        for record in claim.finishedSteps { bind(record) }
    }

    /// Runs until the execution has ended, or this host must let go of it.
    ///
    /// - Throws: `RunInterruption` when it was let go.
    mutating func run() async throws(RunInterruption) {
        journal.line(.info, step: nil, claim.isResumed ? "resumed on another worker" : "running")
        let stop = await withTaskGroup(of: Void.self) { group in
            start(in: &group)
            if !state.hasRunning { report(.flushDue) }
            for await event in events {
                await handle(event, in: &group)
                // Whatever can start has been started: with nothing running, the run is over or let go.
                if !state.hasRunning { break }
            }
            group.cancelAll()
            // Steps that still run here were cut by the task's cancellation.
            let isCut = state.hasRunning || isDraining && state.verdict == .goingOn
            return interruption ?? (isCut ? .stopped : nil)
        }
        if let stop {
            if stop == .stopped { try await journal.flush(&state) }
            throw stop
        }
        try await end()
    }

    private mutating func handle(_ event: StepEvent, in group: inout TaskGroup<Void>) async {
        switch event {
        case .line(let level, let step, let message):
            journal.line(level, step: step, message)
            scheduleFlush(in: &group)
        case .settled(let settlement, let step, let provider):
            if !journal.settle(settlement, step: step, provider: provider) {
                failure = failure ?? .moneyOverflow
            }
            scheduleFlush(in: &group)
        case .flushDue:
            isFlushScheduled = false
            await write { journal, state throws(RunInterruption) in try await journal.flush(&state) }
        case .ended(let index, let record):
            await end(index, record)
            if case .failed = state.verdict { group.cancelAll() } else { start(in: &group) }
        case .interrupted(let index, let reason):
            state.interrupt(index)
            // A sibling's failure stops a step too; that is the run's end, not its interruption.
            if case .failed = state.verdict { return }
            interrupt(reason, in: &group)
        case .drain: isDraining = true
        case .stop: interrupt(.stopped, in: &group)
        }
        if interruption != nil { group.cancelAll() }
    }

    private mutating func interrupt(_ reason: RunInterruption, in group: inout TaskGroup<Void>) {
        interruption = interruption ?? reason
        group.cancelAll()
    }

    private mutating func end(_ index: Int, _ record: StepRecord) async {
        var record = record
        state.end(index, record.state)
        await write { journal, state throws(RunInterruption) in
            record = try await journal.commit(record, &state, at: index)
        }
        guard interruption == nil else { return }
        if record.state == .failed { failure = failure ?? record.error }
        bind(record)
    }

    private mutating func write(
        _ body: (inout RunJournal, inout RunState) async throws(RunInterruption) -> Void
    ) async {
        do throws(RunInterruption) { try await body(&journal, &state) } catch {
            interruption = interruption ?? error
        }
    }

    private mutating func start(in group: inout TaskGroup<Void>) {
        guard interruption == nil, !isDraining else { return }
        for index in state.takeStartable() {
            let runner = runner(for: index)
            group.addTask { await runner.run() }
        }
    }

    private func runner(for index: Int) -> StepRunner {
        let step = plan.steps[index]
        let context = step.dependencies.compactMap { dependency -> (name: String, value: JSON)? in
            let name = plan.steps[dependency].outputNames.first ?? plan.steps[dependency].slug
            return outputs[name].map { (name, $0) }
        }
        return StepRunner(
            index: index, step: step, fence: claim.fence, userID: claim.userID,
            scope: ReferenceScope(
                configuration: claim.configuration, deploymentConfig: plan.deploymentConfig, outputs: outputs),
            context: context,
            pastAttempts: claim.calls.filter { $0.stepID == step.id }.map(\.attempt).max() ?? 0, services: services,
            lease: lease, report: report)
    }

    /// Lines wait a moment for a checkpoint to take them along; a step that takes longer gets them written.
    private mutating func scheduleFlush(in group: inout TaskGroup<Void>) {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        let (clock, report) = (services.clock, report)
        group.addTask {
            guard (try? await clock.sleep(.milliseconds(25))) != nil else { return }
            report(.flushDue)
        }
    }

    private mutating func bind(_ record: StepRecord) {
        guard record.state == .succeeded, let step = plan.steps.first(where: { $0.id == record.stepID }) else {
            return
        }
        for name in step.outputNames { outputs[name] = record.output }
    }

    private mutating func end() async throws(RunInterruption) {
        var error = failure
        if error == nil, state.verdict == .goingOn { error = .planStuck }
        if error == nil, let missing = plan.requiredOutputs.first(where: { !isBound($0) }) {
            error = ExecutionError(
                code: "required_output_missing", message: "no step produced the required output \"\(missing)\"",
                step: nil, isRetryable: false, action: "check the template's success_criteria")
        }
        let ending = ExecutionEnding(
            state: error == nil ? .completed : .failed, result: error == nil ? result : .null, error: error)
        try await journal.end(ending, &state)
        Counter(label: "template_executions_total", dimensions: [("state", ending.state.rawValue)]).increment()
        if error == nil { Counter(label: "template_executions_success_total").increment() }
    }

    private func isBound(_ name: String) -> Bool { outputs[name] != nil }

    /// The outputs under the names their templates gave them.
    private var result: JSON {
        var object = JSONObject()
        for step in plan.steps { if let name = step.outputNames.first { object[name] = outputs[name] } }
        return .object(object)
    }
}

extension ExecutionError {
    static var moneyOverflow: ExecutionError {
        ExecutionError(
            code: "cost_out_of_range", message: "\(MoneyOverflow())", step: nil, isRetryable: false,
            action: "ask the operator to check the price table")
    }

    /// A stored plan whose dependencies never come true; the compiler makes none.
    static var planStuck: ExecutionError {
        ExecutionError(
            code: "plan_stuck", message: "no step of the stored plan can start", step: nil, isRetryable: false,
            action: "start the run again with the template's current version")
    }
}
