public import Domain

/// Custom domains that wait for their DNS records, in PostgreSQL. A domain gets here with the checkpoint of the step
/// that set it up, where the step's output says `pending_dns`.
public struct PostgresDomainWatch: DomainWatch {
    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// A domain of a run that still goes on is left for later: the run's end would write over what a look finds.
    public func takeDue(limit: Int) async throws(LedgerError) -> [PendingDomain] {
        guard limit > 0 else { return [] }
        return try await database.transaction { session throws(DatabaseError) in
            _ = try session.script(Self.abandonment)
            let rows = try session.query(Self.taking, [.count(limit)])
            var domains: [PendingDomain] = []
            for row in 0..<rows.count {
                let id = try rows.execution(row)
                guard let user = rows.uuid(row, 1) else { throw .unreadable(execution: id, "owner") }
                domains.append(
                    PendingDomain(
                        executionID: id, userID: user, domain: rows.text(row, 2) ?? "",
                        effect: try rows.effect(row, from: 4, of: id), attempts: Int(rows.integer(row, 3) ?? 1) - 1))
            }
            return domains
        }
    }

    /// Nothing where the domain waits no longer: its effect was undone, or another host was first.
    public func activate(_ domain: PendingDomain) async throws(LedgerError) {
        _ = try await database.execute(
            Self.activation,
            [
                .uuid(domain.executionID), .text(domain.effect.stepID),
                .text("https://\(domain.domain)".storable),
            ], affinity: domain.executionID)
    }

    /// Nothing where another host has looked since.
    public func postpone(_ domain: PendingDomain, by delay: Duration?) async throws(LedgerError) {
        _ = try await database.execute(
            Self.postponement,
            [
                .uuid(domain.executionID), .text(domain.effect.stepID), .count(domain.attempts + 1),
                delay.map { .duration(max(.zero, $0)) } ?? .null,
            ], affinity: domain.executionID)
    }
}

extension PostgresDomainWatch {
    private static let abandonment = """
        UPDATE domain_watches w SET state = 'abandoned'
        FROM template_executions e, execution_effects effect
        WHERE w.state = 'pending' AND w.next_look_at <= now() AND e.id = w.execution_id
            AND effect.execution_id = w.execution_id AND effect.step_id = w.step_id
            AND (e.status IN ('failed', 'cancelled') OR effect.state IN ('undone', 'undo_failed'))
        """

    private static let taking = """
        WITH due AS (
            SELECT w.execution_id, w.step_id, e.user_id
            FROM domain_watches w JOIN template_executions e ON e.id = w.execution_id
            WHERE w.state = 'pending' AND w.next_look_at <= now() AND e.status = 'completed'
                AND EXISTS (
                    SELECT FROM execution_effects effect
                    WHERE effect.execution_id = w.execution_id AND effect.step_id = w.step_id
                        AND effect.state = 'done')
            ORDER BY w.next_look_at LIMIT $1::integer FOR UPDATE OF w SKIP LOCKED),
        taken AS (
            UPDATE domain_watches w SET attempts = w.attempts + 1, next_look_at = now() + interval '1 minute'
            FROM due WHERE w.execution_id = due.execution_id AND w.step_id = due.step_id
            RETURNING w.execution_id, w.step_id, due.user_id, w.domain, w.attempts)
        SELECT taken.execution_id, taken.user_id, taken.domain, taken.attempts, \(Effect.columns("effect"))
        FROM taken JOIN execution_effects effect
            ON effect.execution_id = taken.execution_id AND effect.step_id = taken.step_id
        """

    private static let activation = Statement(
        "activate-domain",
        """
        WITH active AS (
            UPDATE domain_watches w SET state = 'active'
            FROM execution_effects effect
            WHERE w.execution_id = $1::uuid AND w.step_id = $2 AND w.state = 'pending'
                AND effect.execution_id = w.execution_id AND effect.step_id = w.step_id AND effect.state = 'done'
            RETURNING w.execution_id)
        UPDATE template_executions e SET deployed_url = $3, updated_at = now(),
            result_data = jsonb_set(
                CASE jsonb_typeof(e.result_data) WHEN 'object' THEN e.result_data ELSE '{}' END,
                '{final_url}', to_jsonb($3::text))
        FROM active WHERE e.id = active.execution_id AND e.status = 'completed'
        """)

    private static let postponement = Statement(
        "postpone-domain",
        """
        UPDATE domain_watches SET
            state = CASE WHEN $4::bigint IS NULL THEN 'abandoned' ELSE state END,
            next_look_at = coalesce(now() + $4::bigint * interval '1 millisecond', next_look_at)
        WHERE execution_id = $1::uuid AND step_id = $2 AND state = 'pending' AND attempts = $3::integer
        """)
}
