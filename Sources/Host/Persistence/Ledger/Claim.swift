import Domain

/// One claim's statements.
struct Claim: Sendable {
    struct Outcome: Sendable {
        var taken: [ClaimedExecution] = []
        /// Names of sessions whose worker is dead and that lock what it owned.
        var stuckSessions: [String] = []
    }

    /// Running, of a worker that is gone or whose lease has expired; `w` is the owner's row.
    private static let isAbandoned = """
        e.status = 'running' AND (w.id IS NULL OR (
            w.lease_expires_at < now() AND pg_postmaster_start_time() + w.lease < now()))
        """
    private static let isWorkerAlive = """
        EXISTS (SELECT FROM workers me WHERE me.id = $1::uuid AND me.lease_expires_at > now())
        """
    private static let columns = """
        e.id, e.epoch, e.user_id, e.execution_config::text, coalesce(e.plan, 'null')::text AS plan, e.progress_percentage
        """

    let worker: UUIDv7
    let token: UUIDv7

    func run(limit: Int, unresolved: [UUIDv7], _ session: Session) throws(DatabaseError) -> Outcome {
        var outcome = Outcome()
        if !unresolved.isEmpty { outcome.taken = try load(readopt(unresolved, session), session) }
        let rest = limit - outcome.taken.count
        guard rest > 0 else { return outcome }
        let rows = try take(rest, session)
        outcome.taken += try load(rows, session)
        if rows.count < rest { outcome.stuckSessions = try stuckSessions(session) }
        return outcome
    }

    /// What an earlier claim took without this worker learning of it.
    private func readopt(_ tokens: [UUIDv7], _ session: Session) throws(DatabaseError) -> Rows {
        try session.query(
            """
            SELECT \(Self.columns) FROM template_executions e
            WHERE e.owner = $1::uuid AND e.status = 'running' AND e.claim_token = ANY ($2::uuid[])
            """, [.uuid(worker), .array(tokens)])
    }

    private func take(_ limit: Int, _ session: Session) throws(DatabaseError) -> Rows {
        try session.query(
            """
            WITH candidate AS MATERIALIZED (
                SELECT e.id FROM template_executions e LEFT JOIN workers w ON w.id = e.owner
                WHERE e.status IN ('queued', 'running') AND (e.status = 'queued' OR (\(Self.isAbandoned)))
                    AND \(Self.isWorkerAlive)
                ORDER BY e.created_at, e.id LIMIT $2::integer
                FOR UPDATE OF e SKIP LOCKED),
            taken AS (
                UPDATE template_executions e SET
                    owner = $1::uuid, epoch = e.epoch + 1, status = 'running', claim_token = $3::uuid,
                    start_time = coalesce(e.start_time, now()), updated_at = now()
                FROM candidate WHERE e.id = candidate.id
                RETURNING e.created_at, \(Self.columns))
            SELECT id, epoch, user_id, execution_config, plan, progress_percentage FROM taken ORDER BY created_at, id
            """, [.uuid(worker), .count(limit), .uuid(token)])
    }

    /// Whose executions are abandoned and were not taken: something has locked them.
    private func stuckSessions(_ session: Session) throws(DatabaseError) -> [String] {
        let rows = try session.query(
            """
            SELECT DISTINCT w.application_name
            FROM template_executions e JOIN workers w ON w.id = e.owner
            WHERE \(Self.isAbandoned) AND \(Self.isWorkerAlive)
                AND w.application_name <> current_setting('application_name')
            """, [.uuid(worker)])
        return (0..<rows.count).compactMap { rows.text($0, 0) }
    }
}
