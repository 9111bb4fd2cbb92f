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
    private static let columns = """
        e.id, e.epoch, e.user_id, e.execution_config::text, coalesce(e.plan, 'null')::text AS plan,
        e.progress_percentage
        """

    let worker: UUIDv7
    let token: UUIDv7

    func run(limit: Int, unresolved: [UUIDv7], _ session: Session) throws(DatabaseError) -> Outcome {
        var outcome = Outcome()
        if !unresolved.isEmpty { outcome.taken = try load(readopt(unresolved, session), session) }
        let rest = limit - outcome.taken.count
        guard rest > 0, let dead = try deadOwners(session) else { return outcome }
        let rows = try take(rest, dead, session)
        outcome.taken += try load(rows, session)
        if rows.count < rest { outcome.stuckSessions = try stuckSessions(dead, session) }
        return outcome
    }

    /// Owners whose executions are abandoned, as an array literal; nil where this worker's own lease has ended.
    private func deadOwners(_ session: Session) throws(DatabaseError) -> SQLValue? {
        let rows = try session.query(
            """
            SELECT coalesce(array_agg(DISTINCT e.owner) FILTER (WHERE e.owner IS NOT NULL), '{}')
            FROM workers me LEFT JOIN (template_executions e LEFT JOIN workers w ON w.id = e.owner)
                ON \(Self.isAbandoned)
            WHERE me.id = $1::uuid AND me.lease_expires_at > now()
            GROUP BY me.id
            """, [.uuid(worker)])
        return rows.isEmpty ? nil : .text(rows.text(0, 0))
    }

    /// What an earlier claim took without this worker learning of it.
    private func readopt(_ tokens: [UUIDv7], _ session: Session) throws(DatabaseError) -> Rows {
        try session.query(
            """
            SELECT \(Self.columns) FROM template_executions e
            WHERE e.owner = $1::uuid AND e.status = 'running' AND e.claim_token = ANY ($2::uuid[])
            """, [.uuid(worker), .array(tokens)])
    }

    /// The condition looks at nothing but the execution's own row and constants: after waiting for a lock
    /// PostgreSQL checks it again on the row as it is now, but on what was joined as it was before.
    private func take(_ limit: Int, _ dead: SQLValue, _ session: Session) throws(DatabaseError) -> Rows {
        try session.query(
            """
            WITH candidate AS MATERIALIZED (
                SELECT e.id FROM template_executions e
                WHERE e.status IN ('queued', 'running') AND (e.status = 'queued' OR e.owner = ANY ($4::uuid[]))
                ORDER BY e.created_at, e.id LIMIT $2::integer
                FOR UPDATE SKIP LOCKED),
            taken AS (
                UPDATE template_executions e SET
                    owner = $1::uuid, epoch = e.epoch + 1, status = 'running', claim_token = $3::uuid,
                    start_time = coalesce(e.start_time, now()), updated_at = now()
                FROM candidate WHERE e.id = candidate.id
                RETURNING e.created_at, \(Self.columns))
            SELECT id, epoch, user_id, execution_config, plan, progress_percentage FROM taken ORDER BY created_at, id
            """, [.uuid(worker), .count(limit), .uuid(token), dead])
    }

    /// Whose executions are abandoned and were not taken: something has locked them.
    private func stuckSessions(_ dead: SQLValue, _ session: Session) throws(DatabaseError) -> [String] {
        let rows = try session.query(
            """
            SELECT w.application_name FROM workers w
            WHERE w.id = ANY ($1::uuid[]) AND w.application_name <> current_setting('application_name')
                AND EXISTS (SELECT FROM template_executions e WHERE e.owner = w.id AND e.status = 'running')
            """, [dead])
        return (0..<rows.count).compactMap { rows.text($0, 0) }
    }
}
