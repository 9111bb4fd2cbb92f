import Domain
import Synchronization

/// A ledger that keeps everything in memory and fences as the real one does.
final class MemoryLedger: ExecutionLedger {
    struct State {
        var drafts: [ExecutionDraft] = []
        var claims: [ClaimedExecution] = []
        var owners: [UUIDv7: Fence] = [:]
        var opened: [ProviderCall] = []
        var intents: [Effect] = []
        var begunAgain: [String: Int] = [:]
        var failures: [ExecutionError] = []
        var checkpoints: [Checkpoint] = []
        var released: [UUIDv7] = []
        /// Errors the next checkpoints answer with, in order.
        var checkpointErrors: [LedgerError] = []
        var rejectsStepsContaining: String?
        var rejectsEndingsOf: ExecutionState?
    }

    let state: Mutex<State>
    private let changes: AsyncStream<Void>.Continuation
    let changed: AsyncStream<Void>

    init(claims: [ClaimedExecution] = []) {
        state = Mutex(State(claims: claims))
        (changed, changes) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func admit(_ draft: ExecutionDraft) async throws(LedgerError) -> AdmittedExecution {
        state.withLock { state in
            state.drafts.append(draft)
            state.claims.append(.fresh(plan: draft.plan, id: draft.id, configuration: draft.configuration))
        }
        return AdmittedExecution(
            id: draft.id, estimatedCompletion: draft.id.timestamp.advanced(by: draft.expectedDuration))
    }

    func renew(worker: UUIDv7, lease: Duration) async throws(LedgerError) {}

    func claim(
        worker: UUIDv7, limit: Int, inFlight: [UUIDv7]
    ) async throws(LedgerError) -> [ClaimedExecution] {
        state.withLock { state in
            let taken = state.claims.prefix(limit)
            state.claims.removeFirst(taken.count)
            for claim in taken { state.owners[claim.fence.executionID] = claim.fence }
            return Array(taken)
        }
    }

    func open(_ call: ProviderCall, fence: Fence) async throws(LedgerError) -> FenceOutcome {
        state.withLock { state in
            guard state.owners[fence.executionID, default: fence] == fence else { return .fenced }
            state.opened.append(call)
            return .applied
        }
    }

    func intend(_ effect: Effect, fence: Fence) async throws(LedgerError) -> FenceOutcome {
        state.withLock { state in
            guard state.owners[fence.executionID, default: fence] == fence else { return .fenced }
            state.intents.append(effect)
            return .applied
        }
    }

    func begin(again name: String, count: Int, fence: Fence) async throws(LedgerError) -> FenceOutcome {
        state.withLock { state in
            guard state.owners[fence.executionID, default: fence] == fence else { return .fenced }
            state.begunAgain[name] = max(count, state.begunAgain[name] ?? 0)
            return .applied
        }
    }

    func fail(_ error: ExecutionError, fence: Fence) async throws(LedgerError) -> FenceOutcome {
        state.withLock { state in
            guard state.owners[fence.executionID, default: fence] == fence else { return .fenced }
            state.failures.append(error)
            return .applied
        }
    }

    func checkpoint(_ checkpoint: Checkpoint) async throws(LedgerError) -> FenceOutcome {
        let answer: Result<FenceOutcome, LedgerError> = state.withLock { state in
            let id = checkpoint.fence.executionID
            let isFinal = state.checkpoints.contains { $0.fence.executionID == id && $0.ending != nil }
            guard state.owners[id, default: checkpoint.fence] == checkpoint.fence, !isFinal else {
                return .success(.fenced)
            }
            if !state.checkpointErrors.isEmpty { return .failure(state.checkpointErrors.removeFirst()) }
            if let ending = state.rejectsEndingsOf, checkpoint.ending?.state == ending {
                return .failure(LedgerError(.rejected, "22P05"))
            }
            if let word = state.rejectsStepsContaining, checkpoint.step?.output.text.contains(word) == true {
                return .failure(LedgerError(.rejected, "22P05"))
            }
            let isKnown = state.checkpoints.contains { known in
                known.fence.executionID == id && checkpoint.step != nil && known.step?.stepID == checkpoint.step?.stepID
            }
            state.checkpoints.append(checkpoint)
            return .success(isKnown ? .alreadyApplied : .applied)
        }
        changes.yield()
        return try answer.get()
    }

    func release(worker: UUIDv7) async throws(LedgerError) {
        state.withLock { $0.released.append(worker) }
    }

    var checkpoints: [Checkpoint] { state.withLock { $0.checkpoints } }
    var opened: [ProviderCall] { state.withLock { $0.opened } }
    var intents: [Effect] { state.withLock { $0.intents } }
    /// Every state that effects were in, in order.
    var effects: [Effect] { checkpoints.flatMap(\.effects) }
    var deployments: [DeploymentRecord] { checkpoints.flatMap(\.deployments) }
    var ending: ExecutionEnding? { checkpoints.compactMap(\.ending).last }
    var records: [StepRecord] { checkpoints.compactMap(\.step) }
    var settlements: [CallSettlement] { checkpoints.flatMap(\.settlements) }
    var lines: [LogLine] { checkpoints.flatMap(\.logs) }
}

extension ClaimedExecution {
    static func fresh(
        plan: ExecutionPlan, id: UUIDv7 = UUIDv7(at: Timestamp(microseconds: 0)), configuration: JSON = [:],
        finished: [StepRecord] = [], calls: [PastCall] = [], progress: Int = 0, nextLogSequence: Int64 = 1,
        effects: [Effect] = [], hasWebhook: Bool = false, failure: ExecutionError? = nil,
        begunAgain: [String: Int] = [:]
    ) -> ClaimedExecution {
        ClaimedExecution(
            fence: Fence(executionID: id, worker: UUIDv7(at: Timestamp(microseconds: 1)), epoch: 1),
            userID: UUIDv7(at: Timestamp(microseconds: 2)), configuration: configuration, plan: plan.json,
            finishedSteps: finished, nextLogSequence: nextLogSequence, progress: progress, calls: calls,
            isResumed: !finished.isEmpty || !effects.isEmpty || !begunAgain.isEmpty, effects: effects,
            hasWebhook: hasWebhook, failure: failure, begunAgain: begunAgain)
    }
}
