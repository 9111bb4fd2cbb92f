import Domain

/// One claim's statements.
struct Claim: Sendable {
    struct Outcome: Sendable {
        var taken: [ClaimedExecution] = []
        /// Names of sessions whose worker is dead and that lock what it owned.
        var stuckSessions: [String] = []
    }

    /// Running, of a worker that is gone or whose lease has expired; `w` is the owner's row.
    private static let isAbandoned =
        "e.end_time IS NULL AND e.status = 'running' AND (w.id IS NULL OR w.lease_expires_at < now())"
    /// A plan of a later format is for a host that reads it.
    private static let isReadable =
        "(e.plan @? '$.format ? (@ > \(ExecutionPlan.formatVersion))') IS NOT TRUE"

    let worker: UUIDv7
    /// Executions that are not to be taken, whoever owns them.
    let excluded: [UUIDv7]

    func run(limit: Int, _ session: Session) throws(DatabaseError) -> Outcome {
        guard let dead = try deadOwners(session) else { return Outcome() }
        let rows = try take(limit, .text(dead), session)
        var outcome = Outcome(taken: try load(rows, session))
        if rows.count < limit, dead != "{}" { outcome.stuckSessions = try stuckSessions(.text(dead), session) }
        return outcome
    }

    /// Owners whose executions are abandoned, as an array literal; nil where this worker's own lease has ended.
    ///
    /// Empty until this worker has held its lease for a whole one without a gap: whoever else was without a server,
    /// or stopped together with this host, has had the time to renew by then.
    private func deadOwners(_ session: Session) throws(DatabaseError) -> String? {
        let rows = try session.query(
            """
            SELECT coalesce(array_agg(DISTINCT e.owner) FILTER (WHERE e.owner IS NOT NULL), '{}')
            FROM workers me LEFT JOIN (template_executions e LEFT JOIN workers w ON w.id = e.owner)
                ON \(Self.isAbandoned) AND me.steady_since + me.lease < now()
            WHERE me.id = $1::uuid AND me.lease_expires_at > now()
            GROUP BY me.id
            """, [.uuid(worker)])
        return rows.isEmpty ? nil : rows.text(0, 0)
    }

    /// What waits, what is abandoned, and what is this worker's own already: it took that without learning of it.
    ///
    /// The condition looks at nothing but the execution's own row and constants: after waiting for a lock
    /// PostgreSQL checks it again on the row as it is now, but on what was joined as it was before. A plan is unpacked
    /// only where the rest holds, not for each execution that somebody runs.
    static let taking = """
        WITH candidate AS MATERIALIZED (
            SELECT e.id FROM template_executions e
            WHERE e.end_time IS NULL AND e.id <> ALL ($4::uuid[])
                AND CASE
                    WHEN e.status = 'queued'
                        OR e.status = 'running' AND (e.owner = ANY ($3::uuid[]) OR e.owner = $1::uuid)
                    THEN \(Self.isReadable)
                    ELSE false
                END
            ORDER BY e.turn_at, e.id LIMIT $2::integer
            FOR UPDATE SKIP LOCKED),
        taken AS (
            UPDATE template_executions e SET
                owner = $1::uuid, epoch = e.epoch + 1, status = 'running',
                start_time = coalesce(e.start_time, now()), updated_at = now()
            FROM candidate WHERE e.id = candidate.id
            RETURNING e.id, e.epoch, e.user_id, e.execution_config::text, e.plan::text, e.progress_percentage,
                e.webhook_url IS NOT NULL, e.turn_at, e.error::text AS failure, e.begun_again::text)
        SELECT * FROM taken ORDER BY turn_at, id
        """

    private func take(_ limit: Int, _ dead: SQLValue, _ session: Session) throws(DatabaseError) -> Rows {
        try session.query(Self.taking, [.uuid(worker), .count(limit), dead, .array(excluded)])
    }

    /// Whose executions are abandoned and were not taken: something has locked them.
    private func stuckSessions(_ dead: SQLValue, _ session: Session) throws(DatabaseError) -> [String] {
        let rows = try session.query(
            """
            SELECT w.application_name FROM workers w
            WHERE w.id = ANY ($1::uuid[]) AND w.application_name <> current_setting('application_name')
                AND EXISTS (
                    SELECT FROM template_executions e
                    WHERE e.owner = w.id AND e.end_time IS NULL AND e.status = 'running' AND e.id <> ALL ($2::uuid[]) AND \(Self.isReadable))
            """, [dead, .array(excluded)])
        return (0..<rows.count).compactMap { rows.text($0, 0) }
    }
}
