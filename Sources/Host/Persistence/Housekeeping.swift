public import Domain

/// What the host does now and then for its database, on a schedule of its own: no extension is needed for it.
/// Every method may run on any number of hosts at once.
public struct Housekeeping: Sendable {
    /// A summary of a month of calls may take its time.
    private static let refreshLimit: Duration = .seconds(600)

    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// Makes the monthly partitions of `ai_api_calls` that are missing, from this month (UTC) on. A call that finds
    /// no partition of its month lands in the default partition: nothing is lost, listings get slower.
    ///
    /// - Parameter monthsAhead: how many months beyond this one; 3 lets a host miss a quarter.
    /// - Returns: how many were made.
    @discardableResult
    public func ensureCallPartitions(monthsAhead: Int = 3) async throws(LedgerError) -> Int {
        try await database.transaction { session throws(DatabaseError) in
            let rows = try session.query(
                "SELECT ensure_ai_api_calls_partitions($1::integer)", [.count(max(0, monthsAhead))])
            return Int(rows.integer(0, 0) ?? 0)
        }
    }

    /// Brings `user_usage_summary` up to date while it stays readable. Within ten minutes: then the server gives up,
    /// and the next time is another try.
    public func refreshUsageSummary() async throws(LedgerError) {
        let limit = Self.refreshLimit
        // The server ends it first: a client that just goes away leaves it running, and the next one behind it.
        try await database.transaction(answerTimeout: limit + .seconds(30)) { session throws(DatabaseError) in
            _ = try session.script("SET LOCAL statement_timeout = \(limit.milliseconds)")
            _ = try session.script("REFRESH MATERIALIZED VIEW CONCURRENTLY user_usage_summary")
        }
    }

    /// Forgets workers whose lease ended more than a day ago and that own nothing any more.
    public func removeDeadWorkers() async throws(LedgerError) {
        try await database.transaction { session throws(DatabaseError) in
            _ = try session.script(
                """
                DELETE FROM workers w
                WHERE w.lease_expires_at < now() - interval '1 day'
                    AND NOT EXISTS (
                        SELECT FROM template_executions e WHERE e.owner = w.id AND e.status = 'running')
                """)
        }
    }
}
