import Domain

/// A ledger that tells when executions were taken and when their end was durable. It adds no statement of its own,
/// so that watching costs the database nothing.
struct ObservedLedger: ExecutionLedger {
    enum Moment: Sendable {
        case taken(UUIDv7, ContinuousClock.Instant)
        case ended(UUIDv7, ContinuousClock.Instant)
    }

    private let ledger: any ExecutionLedger
    private let report: AsyncStream<Moment>.Continuation
    /// For one reader.
    let moments: AsyncStream<Moment>

    /// - Parameter executions: how many there will be: two moments each.
    init(_ ledger: any ExecutionLedger, executions: Int) {
        self.ledger = ledger
        (moments, report) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(2 * executions))
    }

    func admit(_ draft: ExecutionDraft) async throws(LedgerError) -> AdmittedExecution {
        try await ledger.admit(draft)
    }

    func renew(worker: UUIDv7, lease: Duration) async throws(LedgerError) {
        try await ledger.renew(worker: worker, lease: lease)
    }

    func claim(
        worker: UUIDv7, limit: Int, inFlight: [UUIDv7]
    ) async throws(LedgerError) -> [ClaimedExecution] {
        let claims = try await ledger.claim(worker: worker, limit: limit, inFlight: inFlight)
        let now = ContinuousClock.now
        for claim in claims { report.yield(.taken(claim.fence.executionID, now)) }
        return claims
    }

    func open(_ call: ProviderCall, fence: Fence) async throws(LedgerError) -> FenceOutcome {
        try await ledger.open(call, fence: fence)
    }

    func intend(_ effect: Effect, fence: Fence) async throws(LedgerError) -> FenceOutcome {
        try await ledger.intend(effect, fence: fence)
    }

    func begin(again name: String, count: Int, fence: Fence) async throws(LedgerError) -> FenceOutcome {
        try await ledger.begin(again: name, count: count, fence: fence)
    }

    func fail(_ error: ExecutionError, fence: Fence) async throws(LedgerError) -> FenceOutcome {
        try await ledger.fail(error, fence: fence)
    }

    func checkpoint(_ checkpoint: Checkpoint) async throws(LedgerError) -> FenceOutcome {
        let outcome = try await ledger.checkpoint(checkpoint)
        if checkpoint.ending != nil { report.yield(.ended(checkpoint.fence.executionID, .now)) }
        return outcome
    }

    func release(worker: UUIDv7) async throws(LedgerError) { try await ledger.release(worker: worker) }
}
