import Domain
import Logging
import Metrics

/// What is left to do when no step runs any more.
extension ExecutionRun {
    mutating func end() async throws(RunInterruption) {
        switch state.verdict {
        case .completed:
            failure = failure ?? plan.requiredOutputs.first { outputs.values[$0] == nil }.map { .missing(output: $0) }
            if failure == nil { try await takeBackUnused() }
            if failure == nil, !plan.healthChecks.isEmpty { try await verify() }
        case .goingOn: failure = failure ?? .planStuck
        case .failed(let step): failure = failure ?? .stepFailed(plan.steps[step].name)
        }
        if failure != nil { try await cleanUp() }
        let isDone = failure == nil
        let ending = ExecutionEnding(
            state: isDone ? .completed : .failed, result: isDone ? outputs.result(of: plan) : outputs.remains,
            error: failure, deployedURL: isDone ? outputs.values["final_url"]?.stringValue : nil,
            repositoryURL: outputs.repository)
        let ended = try await journal.end(ending, after: last, &state)
        Counter(label: "template_executions_total", dimensions: [("state", ended.rawValue)]).increment()
        if ended == .completed { Counter(label: "template_executions_success_total").increment() }
    }

    private mutating func verify() async throws(RunInterruption) {
        let verification = RunVerification(
            fence: claim.fence, checks: plan.healthChecks,
            scope: ReferenceScope(
                configuration: claim.configuration, deploymentConfig: plan.deploymentConfig, outputs: outputs.values),
            services: services, report: report)
        journal.phase = "Verification"
        journal.line(.info, step: nil, "looking whether the success criteria hold")
        try await conclude { await verification.run() }
    }

    /// Undoes what optional steps that failed did, or may have done: nothing refers to it, and nobody would ever look
    /// after it. Not where another step did the same thing, for providers find what they made by its name.
    private mutating func takeBackUnused() async throws(RunInterruption) {
        let unused = effects.filter { effect in state.ended(effect.stepID) == .failedOptional }
        let kept = Set(effects.filter { state.ended($0.stepID) != .failedOptional }.map(\.subject))
        let pending = RunCleanup.pending(unused, plan).filter { !kept.contains($0.subject) }
        guard !pending.isEmpty else { return }
        journal.line(.info, step: nil, "undoing what optional steps that failed may have left behind")
        try await undo(pending)
    }

    /// Undoes what the run did, as far as the template wants it, and says in the error what is left.
    private mutating func cleanUp() async throws(RunInterruption) {
        let pending = RunCleanup.pending(effects, plan)
        if !pending.isEmpty {
            journal.line(.warning, step: nil, "undoing what the run did: \(failure?.message ?? "it failed")")
            if let failure, claim.failure == nil {
                await write { journal, _ throws(RunInterruption) in try await journal.fail(failure) }
                if let interruption { throw interruption }
            }
            try await undo(pending)
        }
        let left = effects.filter { $0.state != .undone }
        failure = failure?.leaving(left.map { "\($0.command) at \($0.provider)" })
    }

    /// Undoes effects in the order given. That it begins is durable before it does, as with an effect: only the
    /// owner of the run gets so far, and the next owner knows that there is nothing left to complete.
    private mutating func undo(_ pending: [Effect]) async throws(RunInterruption) {
        journal.phase = "Cleanup"
        for effect in pending { note(effect.becoming(.undoFailed, error: "it was not undone to the end")) }
        await write { journal, state throws(RunInterruption) in try await journal.flush(&state) }
        if let interruption { throw interruption }
        let names = Dictionary(plan.steps.map { ($0.id, $0.name) }) { first, _ in first }
        let cleanup = RunCleanup(
            fence: claim.fence, userID: claim.userID, effects: pending, names: names,
            begunAgain: claim.isResumed ? claim.begunAgain : nil, services: services, lease: lease, report: report)
        try await conclude { await cleanup.run() }
    }

    /// Runs what is done when no step runs any more, and writes what it reports, until it is concluded.
    private mutating func conclude(_ work: @escaping @Sendable () async -> Void) async throws(RunInterruption) {
        isConcluded = false
        // Whoever was to report that lines have waited long enough was cancelled with its group.
        isFlushScheduled = false
        await withDiscardingTaskGroup { group in
            scheduleFlush(in: &group)
            group.addTask { await work() }
            for await event in events {
                await handle(event, in: &group)
                if isConcluded || interruption != nil { break }
            }
            group.cancelAll()
        }
        if let interruption { throw interruption }
        guard isConcluded else { throw .stopped }
    }
}

extension Effect {
    var isUndoingBegun: Bool { state == .undone || state == .undoFailed }

    /// What a provider that finds things by name cannot tell apart.
    fileprivate var subject: String { "\(command) at \(provider)" }
}
