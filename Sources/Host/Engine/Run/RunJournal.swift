import Domain
import Logging

/// A run's writes: gathers log lines, settlements and cost until a checkpoint takes them, and writes checkpoints
/// until they are durable or the run is no longer ours.
struct RunJournal {
    private let fence: Fence
    private let services: EngineServices
    private let lease: WorkerLease
    private var nextSequence: Int64
    private var lines: [LogLine] = []
    private var settlements: [CallSettlement] = []
    private var cost = CostBreakdown()

    init(_ claim: ClaimedExecution, plan: ExecutionPlan, services: EngineServices, lease: WorkerLease) {
        fence = claim.fence
        self.services = services
        self.lease = lease
        nextSequence = claim.nextLogSequence
        let names = Dictionary(plan.steps.map { ($0.id, $0.name) }) { first, _ in first }
        for call in claim.calls {
            // Durable calls were within range when they were counted first.
            try? cost.add(
                step: names[call.stepID] ?? call.stepID, provider: call.provider, model: call.model, cost: call.cost)
        }
    }

    mutating func line(_ level: LogLine.Level, step: String?, _ message: String) {
        lines.append(
            LogLine(
                sequence: nextSequence, time: services.clock.wall.now(), level: level, step: step,
                message: String(message.prefix(4_000))))
        nextSequence += 1
    }

    /// Counts a provider call; false where the cost left the range of money.
    mutating func settle(_ settlement: CallSettlement, step: String, provider: String) -> Bool {
        settlements.append(settlement)
        return (try? cost.add(step: step, provider: provider, model: settlement.model, cost: settlement.cost)) != nil
    }

    /// Writes what has gathered, if anything has.
    mutating func flush(_ state: inout RunState) async throws(RunInterruption) {
        guard !lines.isEmpty || !settlements.isEmpty else { return }
        _ = try await write(step: nil, ending: nil, &state)
    }

    /// Makes a step's end durable. A record that the database refuses becomes a failure of the step that says so.
    mutating func commit(
        _ record: StepRecord, _ state: inout RunState, at index: Int
    ) async throws(RunInterruption) -> StepRecord {
        if try await write(step: record, ending: nil, &state) { return record }
        let refused = record.refused
        state.end(index, refused.state)
        line(.error, step: record.name, "failed: \(refused.error?.message ?? "")")
        _ = try await write(step: refused, ending: nil, &state)
        return refused
    }

    mutating func end(_ ending: ExecutionEnding, _ state: inout RunState) async throws(RunInterruption) {
        switch ending.state {
        case .completed: line(.info, step: nil, "completed; cost \(cost.total) USD")
        default: line(.error, step: nil, "failed: \(ending.error?.message ?? ""); cost \(cost.total) USD")
        }
        _ = try await write(step: nil, ending: ending, &state)
    }

    /// Returns false where the database refuses the content for good.
    private mutating func write(
        step: StepRecord?, ending: ExecutionEnding?, _ state: inout RunState
    ) async throws(RunInterruption) -> Bool {
        let checkpoint = Checkpoint(
            fence: fence, step: step, settlements: settlements, logs: lines,
            progress: ending == nil ? min(99, state.progress()) : state.progress(),
            currentStep: ending == nil ? state.currentStep : nil, cost: cost, ending: ending)
        var delay = Duration.milliseconds(50)
        while true {
            let outcome: FenceOutcome
            do { outcome = try await services.ledger.checkpoint(checkpoint) } catch {
                services.logger.warning(
                    "checkpoint not written", metadata: ["execution": "\(fence.executionID)", "error": "\(error)"])
                guard error.code == .unavailable || error.code == .overloaded else { return false }
                guard !lease.isLost else { throw .leaseLost }
                // The run's own task is never cancelled: a host that shuts down stops waiting through its lease.
                try? await services.clock.sleep(delay)
                delay = min(delay * 2, .seconds(2))
                continue
            }
            guard outcome != .fenced else { throw .fenced }
            lines = []
            settlements = []
            return true
        }
    }
}

extension StepRecord {
    fileprivate var refused: StepRecord {
        StepRecord(
            stepID: stepID, name: name, state: state == .succeeded ? .failed : state, output: .null,
            error: ExecutionError(
                code: "result_not_storable", message: "the step's result could not be stored", step: name,
                isRetryable: false, action: "ask the operator to look at the host's log"),
            attempts: attempts, startedAt: startedAt, finishedAt: finishedAt)
    }
}
