public import Domain

extension PostgresLedger {
    /// - Throws: `rejected` where the database refuses the content of the step's record or of a settlement. Log
    ///   lines are brought into a form that is never refused.
    public func checkpoint(_ checkpoint: Checkpoint) async throws(LedgerError) -> FenceOutcome {
        let prepared = CheckpointStatement(checkpoint)
        let id = checkpoint.fence.executionID
        let outcome = try await database.execute(prepared.statement, prepared.parameters, affinity: id).outcome
        guard outcome == .fenced else { return outcome }
        return try await replayed(checkpoint)
    }

    /// Tells a replay of what this worker itself made final from a fenced write. A statement of its own: the
    /// snapshot of one that had to wait for the first attempt's lock would be older than that attempt's commit.
    private func replayed(_ checkpoint: Checkpoint) async throws(LedgerError) -> FenceOutcome {
        let fence = checkpoint.fence
        let rows = try await database.execute(
            Self.replayCheck,
            [
                .uuid(fence.executionID), .uuid(fence.worker), .integer(fence.epoch),
                .text(checkpoint.ending?.state.rawValue), .text(checkpoint.step?.stepID),
            ], affinity: fence.executionID)
        return rows.bool(0, 0) ? .alreadyApplied : .fenced
    }

    private static let replayCheck = Statement(
        "replayed",
        """
        SELECT EXISTS (
            SELECT FROM template_executions e
            WHERE e.id = $1::uuid AND e.owner = $2::uuid AND e.epoch = $3::bigint
                AND ($4::text IS NOT NULL OR $5::text IS NOT NULL)
                AND ($4::text IS NULL OR e.status = $4)
                AND ($5::text IS NULL OR EXISTS (
                    SELECT FROM execution_steps s WHERE s.execution_id = e.id AND s.step_id = $5)))
        """)
}
