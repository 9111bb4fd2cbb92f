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
    private var effects: [Effect] = []
    private var deployments: [DeploymentRecord] = []
    private var events: [WebhookEvent] = []
    private var cost = CostBreakdown()
    private let hasWebhook: Bool
    /// What the run does when no step runs, for `current_step`.
    var phase: String?
    /// When the oldest line or settlement that still waits was added.
    private var waitingSince: Duration?

    init(_ claim: ClaimedExecution, plan: ExecutionPlan, services: EngineServices, lease: WorkerLease) {
        fence = claim.fence
        self.services = services
        self.lease = lease
        nextSequence = claim.nextLogSequence
        hasWebhook = claim.hasWebhook
        let names = Dictionary(plan.steps.map { ($0.id, $0.name) }) { first, _ in first }
        for call in claim.calls {
            // Durable calls were within range when they were counted first.
            try? cost.add(
                step: names[call.stepID] ?? call.stepID, provider: call.provider, model: call.model, cost: call.cost)
        }
    }

    /// How long the oldest line or settlement has waited; nil where none does.
    var waited: Duration? { waitingSince.map { services.clock.instant() - $0 } }

    mutating func line(_ level: LogLine.Level, step: String?, _ message: String) {
        lines.append(
            LogLine(
                sequence: nextSequence, time: services.clock.wall.now(), level: level, step: step,
                message: message.utf8.count <= 4_000 ? message : String(message.prefix(4_000))))
        nextSequence += 1
        waitingSince = waitingSince ?? services.clock.instant()
    }

    /// Counts a provider call; false where the cost left the range of money.
    mutating func settle(_ settlement: CallSettlement, step: String, provider: String) -> Bool {
        settlements.append(settlement)
        waitingSince = waitingSince ?? services.clock.instant()
        return (try? cost.add(step: step, provider: provider, model: settlement.model, cost: settlement.cost)) != nil
    }

    mutating func note(_ effect: Effect) {
        effects.removeAll { $0.stepID == effect.stepID }
        effects.append(effect)
        waitingSince = waitingSince ?? services.clock.instant()
    }

    mutating func note(_ deployment: DeploymentRecord) {
        deployments.removeAll { $0.stepID == deployment.stepID }
        deployments.append(deployment)
        waitingSince = waitingSince ?? services.clock.instant()
    }

    /// An event for the execution's webhook, where it has one.
    mutating func event(_ type: String, _ data: JSON) {
        guard hasWebhook else { return }
        var data = data
        data.set("execution_id", .string(fence.executionID.description))
        events.append(WebhookEvent(id: UUIDv7(at: services.clock.wall.now()), type: type, data: data))
        waitingSince = waitingSince ?? services.clock.instant()
    }

    private var isEmpty: Bool {
        lines.isEmpty && settlements.isEmpty && effects.isEmpty && deployments.isEmpty && events.isEmpty
    }

    /// Writes what has gathered, if anything has.
    mutating func flush(_ state: inout RunState) async throws(RunInterruption) {
        guard !isEmpty else { return }
        if try await write(step: nil, ending: nil, &state) { return }
        guard try await write(step: nil, ending: nil, &state) else { throw .refused }
    }

    /// Makes durable why the run fails, before anything that it did is undone: who goes on with it then can say so. What
    /// the database refuses of it is told by the log alone.
    func fail(_ error: ExecutionError) async throws(RunInterruption) {
        do throws(WriteStop) {
            let outcome = try await services.durably(under: lease) { () throws(LedgerError) in
                try await services.ledger.fail(error, fence: fence)
            }
            guard outcome != .fenced else { throw .interrupted(.fenced) }
        } catch {
            if case .interrupted(let reason) = error { throw reason }
        }
    }

    /// Makes a step's end durable. A record that the database refuses becomes a failure of the step that says so.
    mutating func commit(
        _ record: StepRecord, _ state: inout RunState, at index: Int
    ) async throws(RunInterruption) -> StepRecord {
        finished(record, &state)
        if try await write(step: record, ending: nil, &state) { return record }
        let refused = record.refused
        state.end(index, refused.state)
        line(.error, step: record.name, "failed: \(refused.error?.message ?? "")")
        finished(refused, &state)
        guard try await write(step: refused, ending: nil, &state) else { throw .refused }
        return refused
    }

    /// Makes the end durable, together with the step that ended last. Answers the state in which the run ended: what
    /// the database refuses for good ends it as failed, and says so.
    mutating func end(
        _ ending: ExecutionEnding, after last: (index: Int, record: StepRecord)? = nil, _ state: inout RunState
    ) async throws(RunInterruption) -> ExecutionState {
        if let last { finished(last.record, &state) }
        event("execution.\(ending.state.rawValue)", ending.eventData(cost: cost.total))
        switch ending.state {
        case .completed: line(.info, step: nil, "completed; cost \(cost.total) USD")
        default: line(.error, step: nil, "failed: \(ending.error?.message ?? ""); cost \(cost.total) USD")
        }
        if try await write(step: last?.record, ending: ending, &state) { return ending.state }
        var error = ending.error ?? .resultNotStorable
        if let last {
            let record = try await commit(last.record, &state, at: last.index)
            if record.state == .failed { error = record.error ?? error }
        }
        let bare = ExecutionEnding(state: .failed, result: .null, error: error)
        event("execution.failed", bare.eventData(cost: cost.total))
        guard try await write(step: nil, ending: bare, &state) else { throw .refused }
        return .failed
    }

    private mutating func finished(_ record: StepRecord, _ state: inout RunState) {
        guard hasWebhook else { return }
        event(
            "execution.step_finished",
            [
                "step_id": .string(record.stepID), "step": .string(record.name),
                "state": .string(record.state.rawValue),
                // The run has not ended with its last step.
                "progress_percentage": .integer(Int64(min(99, state.progress()))),
            ])
    }

    /// Tries once to write what has gathered.
    mutating func flushOnce(_ state: inout RunState) async {
        guard !isEmpty else { return }
        _ = try? await services.ledger.checkpoint(checkpoint(step: nil, ending: nil, &state))
    }

    private func checkpoint(step: StepRecord?, ending: ExecutionEnding?, _ state: inout RunState) -> Checkpoint {
        Checkpoint(
            fence: fence, step: step, settlements: settlements, logs: lines,
            progress: ending == nil ? min(99, state.progress()) : state.progress(),
            currentStep: ending == nil ? phase ?? state.currentStep : nil, cost: cost, ending: ending,
            effects: effects, deployments: deployments, events: events)
    }

    /// Writes until it is durable. Returns false where the database refuses the content for good; what it may have
    /// refused besides the step or the ending (raw usage, texts of errors, lines) is then left out of the next write.
    private mutating func write(
        step: StepRecord?, ending: ExecutionEnding?, _ state: inout RunState
    ) async throws(RunInterruption) -> Bool {
        let checkpoint = checkpoint(step: step, ending: ending, &state)
        var delay = Duration.milliseconds(50)
        while true {
            let outcome: FenceOutcome
            do { outcome = try await services.ledger.checkpoint(checkpoint) } catch {
                services.logger.warning(
                    "checkpoint not written", metadata: ["execution": "\(fence.executionID)", "error": "\(error)"])
                guard error.code == .unavailable || error.code == .overloaded else {
                    settlements = settlements.map(\.bare)
                    lines = lines.map(\.bare)
                    effects = effects.map { $0.becoming($0.state, resource: .null) }
                    deployments = deployments.map(\.bare)
                    events = []
                    return false
                }
                guard !lease.isLost else { throw .leaseLost }
                do { try await services.clock.sleep(delay) } catch { throw .stopped }
                delay = min(delay * 2, .seconds(2))
                continue
            }
            guard outcome != .fenced else { throw .fenced }
            lines = []
            settlements = []
            effects = []
            deployments = []
            events = []
            waitingSince = nil
            services.signals.changed(fence.executionID)
            return true
        }
    }
}

extension CallSettlement {
    /// Only what is counted.
    fileprivate var bare: CallSettlement {
        CallSettlement(
            id: id, state: state, model: nil, usage: usage, rawUsage: .null, cost: cost, priceVersion: priceVersion,
            latency: latency, error: nil, providerRequestID: nil)
    }
}

extension DeploymentRecord {
    /// Only where it is and how it stands.
    fileprivate var bare: DeploymentRecord {
        DeploymentRecord(
            id: id, stepID: stepID, provider: provider, providerID: providerID, url: url, status: status)
    }
}

extension ExecutionEnding {
    fileprivate func eventData(cost: Money) -> JSON {
        var data: JSON = ["status": .string(state.rawValue), "total_cost": .string(cost.description)]
        if let deployedURL { data.set("deployed_url", .string(deployedURL)) }
        if let error { data.set("error", error.json) }
        return data
    }
}

extension LogLine {
    fileprivate var bare: LogLine {
        LogLine(sequence: sequence, time: time, level: level, step: nil, message: "(this line could not be stored)")
    }
}

extension StepRecord {
    fileprivate var refused: StepRecord {
        StepRecord(
            stepID: stepID, name: name, state: state == .succeeded ? .failed : state, output: .null,
            error: .resultNotStorable, attempts: attempts, startedAt: startedAt, finishedAt: finishedAt)
    }
}

extension ExecutionError {
    fileprivate static var resultNotStorable: ExecutionError {
        ExecutionError(
            code: "result_not_storable", message: "the result could not be stored", step: nil, isRetryable: false,
            action: "ask the operator to look at the host's log")
    }
}
