public import Domain

extension PostgresLedger {
    /// What was undone is intended anew, as the last effect of its execution; any other row stays as it is.
    ///
    /// - Throws: `rejected` where the database refuses the content.
    public func intend(_ effect: Effect, fence: Fence) async throws(LedgerError) -> FenceOutcome {
        let parameters: [SQLValue] = [
            .uuid(fence.executionID), .uuid(fence.worker), .integer(fence.epoch), .text(effect.stepID.storableName),
            .text(effect.key.storableName), .text(effect.command.storableName), .text(effect.provider.storableName),
            .text(effect.pluginID.storableName), .json(effect.request.storable),
        ]
        return try await database.execute(Self.intention, parameters, affinity: fence.executionID).outcome
    }

    private static let intention = Statement(
        "intend",
        """
        WITH fence AS (
            SELECT id FROM template_executions
            WHERE id = $1::uuid AND owner = $2::uuid AND epoch = $3::bigint AND status = 'running'
            FOR NO KEY UPDATE),
        intended AS (
            INSERT INTO execution_effects AS effect (
                execution_id, step_id, key, command, provider, plugin_id, request, state)
            SELECT fence.id, $4, $5, $6, $7, $8, $9::jsonb, 'intended' FROM fence
            ON CONFLICT (execution_id, step_id) DO UPDATE SET
                key = excluded.key, command = excluded.command, provider = excluded.provider,
                plugin_id = excluded.plugin_id, request = excluded.request, state = 'intended', resource = NULL,
                error = NULL, number = DEFAULT, updated_at = now()
            WHERE effect.state = 'undone'
            RETURNING effect.step_id)
        SELECT CASE
            WHEN NOT EXISTS (SELECT FROM fence) THEN 'fenced'
            WHEN EXISTS (SELECT FROM intended) THEN 'applied'
            ELSE 'already_applied'
        END
        """)
}
