import Domain

/// Which steps of a plan may start, and whether the run is over: decisions only, no effects.
///
/// A step waits until each of its dependencies has ended in a state that satisfies dependents, then runs, then has
/// ended. The first step that fails decides the run.
struct RunState: Sendable {
    private enum Status: Sendable, Hashable {
        /// Can become `running`.
        case waiting
        /// Can become `ended`, or fall back to `waiting` when the run is interrupted before the step has ended.
        case running
        /// Final.
        case ended(StepState)
    }

    enum Verdict: Sendable, Hashable {
        case goingOn
        case completed
        case failed(step: Int)
    }

    private let steps: [PlannedStep]
    private var statuses: [Status]
    private var bestProgress: Int

    /// - Parameters:
    ///   - finished: the steps that earlier owners of the run ended.
    ///   - progress: what was reported before, which never falls.
    init(plan: ExecutionPlan, finished: [String: StepState], progress: Int) {
        steps = plan.steps
        statuses = plan.steps.map { step in finished[step.id].map { .ended($0) } ?? .waiting }
        bestProgress = progress
    }

    /// Takes every step that may start now, lowest first. None start once a step has failed.
    mutating func takeStartable() -> [Int] {
        guard verdict == .goingOn else { return [] }
        let startable = steps.indices.filter { index in
            statuses[index] == .waiting
                && steps[index].dependencies.allSatisfy { dependency in
                    if case .ended(let state) = statuses[dependency] { state.satisfiesDependents } else { false }
                }
        }
        for index in startable { statuses[index] = .running }
        return startable
    }

    mutating func end(_ index: Int, _ state: StepState) {
        statuses[index] = .ended(state)
    }

    /// The step did not end: its run was interrupted.
    mutating func interrupt(_ index: Int) {
        if statuses[index] == .running { statuses[index] = .waiting }
    }

    /// How a step ended; nil while it has not.
    func ended(_ stepID: String) -> StepState? {
        guard let index = steps.firstIndex(where: { $0.id == stepID }), case .ended(let state) = statuses[index] else {
            return nil
        }
        return state
    }

    var hasRunning: Bool { statuses.contains(.running) }

    var verdict: Verdict {
        if let failed = statuses.firstIndex(of: .ended(.failed)) { return .failed(step: failed) }
        let isOver = statuses.allSatisfy { if case .ended = $0 { true } else { false } }
        return isOver ? .completed : .goingOn
    }

    /// The lowest running step, else the lowest that waits.
    var currentStep: String? {
        (statuses.firstIndex(of: .running) ?? statuses.firstIndex(of: .waiting)).map { steps[$0].name }
    }

    /// The finished share of the time the steps may take, in percent: it never falls, and is 100 only when the run
    /// is completed.
    mutating func progress() -> Int {
        guard verdict != .completed else { return 100 }
        let total = steps.reduce(0) { $0 + max(1, $1.timeout.milliseconds) }
        let done = zip(steps, statuses).reduce(Int64(0)) { sum, pair in
            if case .ended = pair.1 { sum + max(1, pair.0.timeout.milliseconds) } else { sum }
        }
        bestProgress = max(bestProgress, min(99, Int(done * 100 / max(1, total))))
        return bestProgress
    }
}
