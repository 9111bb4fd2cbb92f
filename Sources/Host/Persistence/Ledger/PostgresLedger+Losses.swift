public import Domain

/// What is written only where hosts are lost or runs fail.
extension PostgresLedger {
    public func begin(again name: String, count: Int, fence: Fence) async throws(LedgerError) -> FenceOutcome {
        let parameters: [SQLValue] = [
            .uuid(fence.executionID), .uuid(fence.worker), .integer(fence.epoch), .text(name.storableName),
            .count(count),
        ]
        return try await database.execute(Self.beginning, parameters, affinity: fence.executionID).outcome
    }

    public func fail(_ error: ExecutionError, fence: Fence) async throws(LedgerError) -> FenceOutcome {
        let parameters: [SQLValue] = [
            .uuid(fence.executionID), .uuid(fence.worker), .integer(fence.epoch), .json(error.json.storable),
        ]
        return try await database.execute(Self.failing, parameters, affinity: fence.executionID).outcome
    }

    private static let beginning = Statement(
        "begin-again",
        """
        WITH fence AS (
            UPDATE template_executions SET updated_at = now(), begun_again = jsonb_set(begun_again, ARRAY[$4::text],
                to_jsonb(greatest($5::integer, (begun_again->>$4::text)::integer)))
            WHERE id = $1::uuid AND owner = $2::uuid AND epoch = $3::bigint AND status = 'running'
            RETURNING id)
        SELECT CASE WHEN EXISTS (SELECT FROM fence) THEN 'applied' ELSE 'fenced' END
        """)

    private static let failing = Statement(
        "fail",
        """
        WITH fence AS (
            UPDATE template_executions SET updated_at = now(), error = coalesce(error, $4::jsonb)
            WHERE id = $1::uuid AND owner = $2::uuid AND epoch = $3::bigint AND status = 'running'
            RETURNING id)
        SELECT CASE WHEN EXISTS (SELECT FROM fence) THEN 'applied' ELSE 'fenced' END
        """)
}
