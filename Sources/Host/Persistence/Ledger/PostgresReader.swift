public import Domain

/// Executions as the API shows them, in PostgreSQL: one statement a request, whose answer is finished JSON text.
public struct PostgresReader: ExecutionReader {
    /// Lines of one page, at most, and bytes of what they say: a page is held whole for each client that reads one. The
    /// first line is there whatever its length.
    private static let (pageLimit, pageBytes) = (10_000, 131_072)

    private let database: Database
    private let ended = EndedExecutions()

    public init(_ database: Database) { self.database = database }

    /// Once an execution has ended and waits for no domain, nothing writes what is shown of it.
    public func execution(_ id: UUIDv7, of user: UUIDv7) async throws(LedgerError) -> String? {
        if let text = ended.text(id, of: user) { return text }
        let rows = try await database.read(Self.execution, [.uuid(id), .uuid(user)])
        guard !rows.isEmpty, let text = rows.text(0, 0) else { return nil }
        if rows.bool(0, 1) { ended.keep(text, id, of: user) }
        return text
    }

    public func logs(
        _ id: UUIDv7, of user: UUIDv7, after: Int64, limit: Int
    ) async throws(LedgerError) -> LogPage? {
        let start = max(0, after)
        let rows = try await database.read(
            Self.logs,
            [.uuid(id), .uuid(user), .integer(start), .count(min(max(limit, 1), Self.pageLimit))])
        guard let state = rows.text(0, 0) else { return nil }
        return LogPage(
            lines: rows.text(0, 1) ?? "[]", lastSequence: rows.integer(0, 2) ?? start, hasMore: rows.bool(0, 3),
            state: ExecutionState(rawValue: state))
    }

    public func resources(_ id: UUIDv7, of user: UUIDv7) async throws(LedgerError) -> String? {
        let rows = try await database.read(Self.resources, [.uuid(id), .uuid(user)])
        return rows.isEmpty ? nil : rows.text(0, 0)
    }
}

extension PostgresReader {
    /// RFC 3339 in UTC with milliseconds.
    static func time(_ column: String) -> String {
        "to_char(\(column) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    }

    /// The text, and whether it is final.
    private static let execution = Statement(
        "execution",
        """
        SELECT
            (SELECT row_to_json(execution) FROM (
                SELECT e.id, e.template_slug AS template_id, e.status, e.progress_percentage, e.current_step,
                    e.total_steps,
                    (SELECT count(*) FROM execution_steps s WHERE s.execution_id = e.id AND s.state <> 'failed')
                        AS completed_steps,
                    e.result_data AS result, e.cost_breakdown, \(decimal("e.total_cost")) AS total_cost,
                    e.error_message, e.error, e.deployed_url, e.github_repo_url,
                    \(time("e.created_at")) AS created_at, \(time("e.start_time")) AS start_time,
                    \(time("e.end_time")) AS end_time,
                    CASE WHEN e.end_time IS NULL THEN \(time("e.estimated_completion")) END AS estimated_completion
                ) AS execution),
            e.end_time IS NOT NULL AND NOT EXISTS (
                SELECT FROM domain_watches w WHERE w.execution_id = e.id AND w.state = 'pending')
        FROM template_executions e WHERE e.id = $1::uuid AND e.user_id = $2::uuid
        """)

    /// The sequence of a page's n-th line is `after + n` for as long as none is missing.
    private static let logs = Statement(
        "logs",
        """
        WITH page AS (
            SELECT l.*, row_number() OVER (ORDER BY sequence) AS number,
                sum(octet_length(message)) OVER (ORDER BY sequence) AS bytes
            FROM execution_logs l WHERE l.execution_id = $1::uuid AND l.sequence > $3::bigint
            ORDER BY sequence LIMIT $4::bigint + 1),
        whole AS (SELECT * FROM page WHERE sequence = $3::bigint + number),
        shown AS (
            SELECT * FROM whole WHERE number <= $4::bigint AND (bytes <= \(pageBytes) OR number = 1))
        SELECT (SELECT status FROM template_executions WHERE id = $1::uuid AND user_id = $2::uuid),
            (SELECT coalesce('[' || string_agg(row_to_json(line)::text, ',') || ']', '[]') FROM (
                SELECT sequence, \(time("time")) AS timestamp, level, step, message
                FROM shown ORDER BY sequence) AS line),
            (SELECT max(sequence) FROM shown),
            EXISTS (SELECT FROM whole WHERE number > (SELECT count(*) FROM shown))
        """)
}

/// SQL for an amount as `Money.description` writes it: at least two digits after the point, no zeros behind them.
func decimal(_ column: String) -> String {
    "CASE WHEN scale(trim_scale(\(column))) < 2 THEN round(\(column), 2) ELSE trim_scale(\(column)) END::text"
}
