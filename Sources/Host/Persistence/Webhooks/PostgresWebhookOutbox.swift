public import Domain

/// Events for webhooks in PostgreSQL. They get there with the checkpoints they tell of.
public struct PostgresWebhookOutbox: WebhookOutbox {
    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// What a host has taken and does not settle, because it died, is due again when its lease ends.
    public func takeDue(limit: Int, lease: Duration) async throws(LedgerError) -> [WebhookDelivery] {
        guard limit > 0 else { return [] }
        let rows = try await database.transaction { session throws(DatabaseError) in
            try session.query(Self.taking, [.count(limit), .duration(lease)])
        }
        return try (0..<rows.count).map { (row) throws(LedgerError) in
            guard let id = rows.uuid(row, 0), let execution = rows.uuid(row, 1), let data = rows.json(row, 3),
                let time = rows.timestamp(row, 6)
            else { throw LedgerError(.rejected, "a stored webhook event cannot be read") }
            return WebhookDelivery(
                event: WebhookEvent(id: id, type: rows.text(row, 2) ?? "", data: data), executionID: execution,
                url: rows.text(row, 4) ?? "", attempts: Int(rows.integer(row, 5) ?? 1) - 1, time: time)
        }
    }

    /// A delivery that arrived is settled whoever holds the lease by now; a failure only by whoever tried last.
    public func settle(_ delivery: WebhookDelivery, _ outcome: WebhookOutcome) async throws(LedgerError) {
        let (state, reason, delay): (String, String?, Duration?) =
            switch outcome {
            case .delivered: ("delivered", nil, nil)
            case .postponed(let delay, let reason): ("pending", reason, max(.zero, delay))
            case .dead(let reason): ("dead", reason, nil)
            }
        _ = try await database.execute(
            Self.settlement,
            [
                .uuid(delivery.event.id), .count(delivery.attempts + 1), .text(state), .text(reason?.storable),
                delay.map { .duration($0) } ?? .null,
            ], affinity: delivery.executionID)
    }
}

extension PostgresWebhookOutbox {
    /// The first that waits of each execution, where it is due. After it has waited for a lock PostgreSQL checks
    /// the row again as it is now: what another host has taken meanwhile is not due.
    private static let taking = """
        WITH head AS (
            SELECT d.id FROM webhook_deliveries d
            WHERE d.state = 'pending' AND d.next_attempt_at <= now()
                AND NOT EXISTS (
                    SELECT FROM webhook_deliveries earlier
                    WHERE earlier.execution_id = d.execution_id AND earlier.state = 'pending'
                        AND earlier.sequence < d.sequence)
            ORDER BY d.next_attempt_at, d.sequence LIMIT $1::integer FOR UPDATE OF d SKIP LOCKED),
        taken AS (
            UPDATE webhook_deliveries d SET
                attempts = d.attempts + 1, next_attempt_at = now() + $2::bigint * interval '1 millisecond'
            FROM head WHERE d.id = head.id
            RETURNING d.id, d.execution_id, d.type, d.data, d.attempts, d.created_at, d.sequence)
        SELECT taken.id, taken.execution_id, taken.type, taken.data::text, e.webhook_url, taken.attempts,
            (extract(epoch FROM taken.created_at) * 1000000)::bigint
        FROM taken JOIN template_executions e ON e.id = taken.execution_id ORDER BY taken.sequence
        """

    private static let settlement = Statement(
        "settle-webhook",
        """
        UPDATE webhook_deliveries SET state = $3, last_error = $4,
            next_attempt_at = coalesce(now() + $5::bigint * interval '1 millisecond', next_attempt_at),
            settled_at = CASE WHEN $3 <> 'pending' THEN now() END
        WHERE id = $1::uuid AND state = 'pending' AND ($3 = 'delivered' OR attempts = $2::integer)
        """)
}
