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
    /// The step that ended last, for the checkpoint that ends the run.
    private var last: (index: Int, record: StepRecord)?

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
        // A run that was let go between a step's failure and its own end only has to end.
        failure = claim.finishedSteps.first { $0.state == .failed }?.error
    }

    /// Runs until the execution has ended, or this host must let go of it.
    ///
    /// - Throws: `RunInterruption` when it was let go.
    mutating func run() async throws(RunInterruption) {
        journal.line(.info, step: nil, claim.isResumed ? "resumed on another worker" : "running")
        let stop = await withDiscardingTaskGroup { group in
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
            // What is known goes into the ledger if it still is ours to write: one attempt, for the host is leaving.
            if stop != .fenced { await journal.flushOnce(&state) }
            throw stop
        }
        try await end()
    }

    private mutating func handle(_ event: StepEvent, in group: inout DiscardingTaskGroup) async {
        switch event {
        case .line(let level, let step, let message):
            journal.line(level, step: step, message)
            scheduleFlush(in: &group)
        case .settled(let settlement, let step, let provider):
            if !journal.settle(settlement, step: step, provider: provider) {
                failure = failure ?? .moneyOverflow
                group.cancelAll()
            }
            scheduleFlush(in: &group)
        case .flushDue:
            isFlushScheduled = false
            // Lines that a checkpoint took along in the meantime need none of their own.
            guard let waited = journal.waited else { return }
            if waited >= Self.gathering {
                await write { journal, state throws(RunInterruption) in try await journal.flush(&state) }
            } else {
                scheduleFlush(in: &group)
            }
        case .ended(let index, let record):
            await end(index, record)
            if failure == nil { start(in: &group) } else { group.cancelAll() }
        case .interrupted(let index, let reason):
            state.interrupt(index)
            // A failure stops the other steps too; that is the run's end, not its interruption.
            if failure == nil { interrupt(reason, in: &group) }
        case .drain: isDraining = true
        case .stop: interrupt(.stopped, in: &group)
        }
        if interruption != nil { group.cancelAll() }
    }

    private mutating func interrupt(_ reason: RunInterruption, in group: inout DiscardingTaskGroup) {
        interruption = interruption ?? reason
        group.cancelAll()
    }

    private mutating func end(_ index: Int, _ record: StepRecord) async {
        var record = record
        state.end(index, record.state)
        if state.verdict == .completed {
            // One checkpoint for the last step and the end of the run.
            last = (index, record)
            return bind(record)
        }
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

    private mutating func start(in group: inout DiscardingTaskGroup) {
        guard interruption == nil, !isDraining else { return }
        for index in state.takeStartable() {
            let runner = runner(for: index)
            group.addTask { await runner.run() }
        }
    }

    private func runner(for index: Int) -> StepRunner {
        let step = plan.steps[index]
        let past = claim.calls.filter { $0.stepID == step.id }
        let context = step.dependencies.compactMap { dependency -> (name: String, value: JSON)? in
            let name = plan.steps[dependency].outputNames.first ?? plan.steps[dependency].slug
            return outputs[name].map { (name, $0) }
        }
        return StepRunner(
            index: index, step: step, fence: claim.fence, userID: claim.userID,
            scope: ReferenceScope(
                configuration: claim.configuration, deploymentConfig: plan.deploymentConfig, outputs: outputs),
            context: context,
            pastAttempts: past.map(\.attempt).max() ?? 0, lostAttempts: past.count { $0.state == .unknown },
            services: services,
            lease: lease, report: report)
    }

    /// How long lines wait at least for a checkpoint to take them along, and at most twice that: steps that are
    /// quicker cost no write for their lines.
    private static let gathering = Duration.milliseconds(75)

    private mutating func scheduleFlush(in group: inout DiscardingTaskGroup) {
        guard !isFlushScheduled, journal.waited != nil else { return }
        isFlushScheduled = true
        let (clock, report) = (services.clock, report)
        group.addTask {
            guard (try? await clock.sleep(Self.gathering)) != nil else { return }
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
        switch state.verdict {
        case .completed: error = error ?? plan.requiredOutputs.first { outputs[$0] == nil }.map { .missing(output: $0) }
        case .goingOn: error = error ?? .planStuck
        case .failed(let step): error = error ?? .stepFailed(plan.steps[step].name)
        }
        let ending = ExecutionEnding(
            state: error == nil ? .completed : .failed, result: error == nil ? result : .null, error: error)
        let ended = try await journal.end(ending, after: last, &state)
        Counter(label: "template_executions_total", dimensions: [("state", ended.rawValue)]).increment()
        if ended == .completed { Counter(label: "template_executions_success_total").increment() }
    }

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

    static func missing(output: String) -> ExecutionError {
        ExecutionError(
            code: "required_output_missing", message: "no step produced the required output \"\(output)\"", step: nil,
            isRetryable: false, action: "check the template's success_criteria")
    }

    static func hostLost(_ step: String) -> ExecutionError {
        ExecutionError(
            code: "step_lost", message: "the step was cut off \(StepRunner.maximumLostAttempts) times with its host",
            step: step, isRetryable: false, action: "ask the operator to look at the host's log")
    }

    /// A step's failure whose reason was not kept.
    static func stepFailed(_ step: String) -> ExecutionError {
        ExecutionError(
            code: "step_failed", message: "the step \"\(step)\" failed", step: step, isRetryable: true,
            action: "start the run again")
    }

    /// A stored plan whose dependencies never come true; the compiler makes none.
    static var planStuck: ExecutionError {
        ExecutionError(
            code: "plan_stuck", message: "no step of the stored plan can start", step: nil, isRetryable: false,
            action: "start the run again with the template's current version")
    }
}
