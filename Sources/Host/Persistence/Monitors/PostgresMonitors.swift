public import Domain

/// The monitors of all executions in PostgreSQL.
public struct PostgresMonitors: MonitorStore {
    /// No monitor looks more often than this, or less often than once a day.
    private static let (shortestInterval, longestInterval) = (Duration.seconds(1), Duration.seconds(86_400))

    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// Its first check is due at once. An interval of less than a second or more than a day is taken as that.
    ///
    /// - Throws: `notFound` where there is no such execution.
    public func start(_ monitor: HealthMonitor) async throws(LedgerError) {
        let interval = min(max(monitor.interval, Self.shortestInterval), Self.longestInterval)
        _ = try await database.execute(
            Self.beginning,
            [
                .uuid(monitor.id), .uuid(monitor.executionID), .text(monitor.name.storableName),
                .text(monitor.url.storable), .integer(monitor.expectedStatus), .duration(interval),
            ], affinity: monitor.executionID)
    }

    public func isMonitored(_ execution: UUIDv7) async throws(LedgerError) -> Bool {
        try await database.execute(Self.standing, [.uuid(execution)], affinity: execution).bool(0, 0)
    }

    public func stop(execution: UUIDv7) async throws(LedgerError) {
        _ = try await database.execute(Self.stopping, [.uuid(execution)], affinity: execution)
    }

    /// What a host has taken and does not check, because it died, is due again an interval later.
    public func takeDue(limit: Int) async throws(LedgerError) -> [HealthMonitor] {
        guard limit > 0 else { return [] }
        let rows = try await database.transaction { session throws(DatabaseError) in
            try session.query(Self.taking, [.count(limit)])
        }
        return (0..<rows.count).compactMap { row in
            guard let id = rows.uuid(row, 0), let execution = rows.uuid(row, 1) else { return nil }
            return HealthMonitor(
                id: id, executionID: execution, name: rows.text(row, 2) ?? "", url: rows.text(row, 3) ?? "",
                expectedStatus: rows.integer(row, 4).map { Int($0) },
                interval: .milliseconds(rows.integer(row, 5) ?? 0))
        }
    }

    /// Also where the monitor was stopped or replaced meanwhile: the check was made.
    public func record(_ result: ProbeResult, of monitor: HealthMonitor) async throws(LedgerError) {
        var metadata: JSON = [
            "execution_id": .string(monitor.executionID.description), "monitor_id": .string(monitor.id.description),
            "url": .string(monitor.url.storable),
        ]
        if let status = result.status { metadata.set("http_status", .integer(Int64(status))) }
        let latency = Int32(clamping: max(0, result.latency.milliseconds))
        _ = try await database.execute(
            Self.recording,
            [
                .uuid(UUIDv7(at: SystemWallClock().now())), .text(monitor.name.storableName),
                .text(result.isHealthy ? "healthy" : "unhealthy"), .integer(Int64(latency)),
                .text(result.reason?.storable), .json(metadata), .uuid(monitor.id),
            ], affinity: monitor.executionID)
    }
}

extension PostgresMonitors {
    private static let beginning = Statement(
        "start-monitor",
        """
        INSERT INTO health_monitors (id, execution_id, name, url, expected_status, period)
        VALUES ($1::uuid, $2::uuid, $3, $4, $5::integer, $6::bigint * interval '1 millisecond')
        ON CONFLICT (execution_id, name) DO UPDATE SET
            id = excluded.id, url = excluded.url, expected_status = excluded.expected_status,
            period = excluded.period, next_check_at = now(), stopped_at = NULL
        """)

    private static let standing = Statement(
        "is-monitored",
        "SELECT EXISTS (SELECT FROM health_monitors WHERE execution_id = $1::uuid AND stopped_at IS NULL)")

    private static let stopping = Statement(
        "stop-monitors",
        "UPDATE health_monitors SET stopped_at = now() WHERE execution_id = $1::uuid AND stopped_at IS NULL")

    /// The next check comes an interval from now, not from when this one was due: after an outage there is one
    /// check, not all that were missed.
    private static let taking = """
        WITH due AS (
            SELECT id FROM health_monitors
            WHERE stopped_at IS NULL AND next_check_at <= now()
            ORDER BY next_check_at LIMIT $1::integer FOR UPDATE SKIP LOCKED)
        UPDATE health_monitors m SET next_check_at = now() + m.period FROM due WHERE m.id = due.id
        RETURNING m.id, m.execution_id, m.name, m.url, m.expected_status,
            (extract(epoch FROM m.period) * 1000)::bigint
        """

    /// The check's id is the caller's: sent again after a lost connection it is one check.
    private static let recording = Statement(
        "record-check",
        """
        WITH checked AS (
            INSERT INTO system_health_checks (id, service_name, status, response_time_ms, error_message, metadata)
            VALUES ($1::uuid, $2, $3, $4::integer, $5, $6::jsonb)
            ON CONFLICT DO NOTHING)
        UPDATE health_monitors SET
            last_checked_at = now(), last_status = $3, last_response_time_ms = $4::integer, last_error = $5
        WHERE id = $7::uuid
        """)
}
