import Domain
import Logging
import Metrics

/// One execution, from its claim by this host to its end or interruption.
///
/// Steps run as child tasks and report events; this loop alone turns them into checkpoints, one at a time, so that
/// what is durable always is a prefix of what happened. Nothing starts on the strength of a step that is not durable.
struct ExecutionRun {
    let claim: ClaimedExecution
    let plan: ExecutionPlan
    let services: EngineServices
    let lease: WorkerLease
    let events: AsyncStream<StepEvent>
    let report: @Sendable (StepEvent) -> Void

    private let application: ApplicationIdentity
    var state: RunState
    var outputs = RunOutputs()
    /// In the order in which they were begun.
    var effects: [Effect]
    var journal: RunJournal
    var interruption: RunInterruption?
    private var isDraining = false
    var isFlushScheduled = false
    /// Whether what is done when no step runs any more is done.
    var isConcluded = false
    var failure: ExecutionError?
    /// The step that ended last, for the checkpoint that ends the run.
    var last: (index: Int, record: StepRecord)?

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
        application = ApplicationIdentity(
            executionID: claim.fence.executionID, configuration: claim.configuration, plan: plan)
        effects = claim.effects
        state = RunState(
            plan: plan, finished: Dictionary(claim.finishedSteps.map { ($0.stepID, $0.state) }) { first, _ in first },
            progress: claim.progress)
        journal = RunJournal(claim, plan: plan, services: services, lease: lease)
        if let url = services.deployment?.repositoryURL(claim.fence.executionID) { outputs.bind(repository: url) }
        for record in claim.finishedSteps { bind(record) }
        // A run that was let go between its failure and its own end only has to end.
        failure = claim.failure ?? claim.finishedSteps.first { $0.state == .failed }?.error
        // Undoing is on record before it begins: a run that has lost a part of what it did must not go on with the
        // rest, whatever another look at its success criteria would find.
        let given = Set(claim.finishedSteps.filter { $0.state == .failedOptional }.map(\.stepID))
        if claim.effects.contains(where: { $0.isUndoingBegun && !given.contains($0.stepID) }) {
            failure = failure ?? .cutWhileUndoing
        }
    }

    /// Runs until the execution has ended, or this host must let go of it.
    ///
    /// - Throws: `RunInterruption` when it was let go.
    mutating func run() async throws(RunInterruption) {
        journal.line(.info, step: nil, claim.isResumed ? "resumed on another worker" : "running")
        // Goes with the first line: where none was ever written, nobody has heard of it.
        if claim.nextLogSequence <= 1 { journal.event("execution.started", ["template": .string(plan.templateSlug)]) }
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

    mutating func handle(_ event: StepEvent, in group: inout DiscardingTaskGroup) async {
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
        case .effect(let effect):
            note(effect)
            scheduleFlush(in: &group)
        case .deployment(let deployment):
            journal.note(deployment)
            scheduleFlush(in: &group)
        case .ended(let index, let record):
            await end(index, record)
            if failure == nil { start(in: &group) } else { group.cancelAll() }
        case .interrupted(let index, let reason):
            state.interrupt(index)
            // A failure stops the other steps too; that is the run's end, not its interruption.
            if failure == nil { interrupt(reason, in: &group) }
        case .concluded(let error):
            isConcluded = true
            failure = failure ?? error
        case .released(let reason): interrupt(reason, in: &group)
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
        if record.state == .succeeded {
            let duration = record.finishedAt.duration(since: record.startedAt)
            journal.line(.info, step: record.name, "finished in \(duration.inSeconds) s")
        }
        state.end(index, record.state)
        if state.verdict == .completed, plan.healthChecks.isEmpty, effects.isEmpty {
            // One checkpoint for the last step and the end of the run, which follows at once.
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

    mutating func write(
        _ body: (inout RunJournal, inout RunState) async throws(RunInterruption) -> Void
    ) async {
        do throws(RunInterruption) { try await body(&journal, &state) } catch {
            interruption = interruption ?? error
        }
    }

    private mutating func start(in group: inout DiscardingTaskGroup) {
        guard interruption == nil, failure == nil, !isDraining else { return }
        for index in state.takeStartable() {
            journal.line(.info, step: plan.steps[index].name, "started")
            let runner = runner(for: index)
            group.addTask { await runner.run() }
        }
        scheduleFlush(in: &group)
    }

    private func runner(for index: Int) -> StepRunner {
        let step = plan.steps[index]
        let past = claim.calls.filter { $0.stepID == step.id }
        let context = step.dependencies.compactMap { dependency -> (name: String, value: JSON)? in
            let name = plan.steps[dependency].outputNames.first ?? plan.steps[dependency].slug
            return outputs.values[name].map { (name, $0) }
        }
        return StepRunner(
            index: index, step: step, fence: claim.fence, userID: claim.userID,
            scope: ReferenceScope(
                configuration: claim.configuration, deploymentConfig: plan.deploymentConfig, outputs: outputs.values),
            context: context, pastAttempts: past.map(\.attempt).max() ?? 0,
            lostAttempts: past.count { $0.state == .unknown } + claim.begunAgain[step.id, default: 0],
            isResumed: claim.isResumed, application: application,
            pastEffect: effects.first { $0.stepID == step.id },
            deploymentConfiguration: outputs.deploymentConfiguration, services: services, lease: lease, report: report)
    }

    /// How long lines wait at least for a checkpoint to take them along, and at most twice that: steps that are
    /// quicker cost no write for their lines.
    private static let gathering = Duration.milliseconds(75)

    mutating func scheduleFlush(in group: inout DiscardingTaskGroup) {
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
        outputs.bind(record.output, of: step)
    }

    mutating func note(_ effect: Effect) {
        if let index = effects.firstIndex(where: { $0.stepID == effect.stepID }) {
            effects[index] = effect
        } else {
            effects.append(effect)
        }
        journal.note(effect)
    }
}
