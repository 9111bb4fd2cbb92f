/// A health check that the host keeps running for an application: a row of `health_monitors`.
public struct HealthMonitor: Sendable, Hashable {
    public let id: UUIDv7
    public let executionID: UUIDv7
    /// The value of `system_health_checks.service_name`.
    public let name: String
    public let url: String
    public let expectedStatus: Int?
    public let interval: Duration

    public init(
        id: UUIDv7, executionID: UUIDv7, name: String, url: String, expectedStatus: Int?, interval: Duration
    ) {
        self.id = id
        self.executionID = executionID
        self.name = name
        self.url = url
        self.expectedStatus = expectedStatus
        self.interval = interval
    }
}

/// The port to the monitors of all executions. Hosts share them: each due check is made by one host.
public protocol MonitorStore: Sendable {
    /// Starts a monitor; the same execution and name replace the one before.
    func start(_ monitor: HealthMonitor) async throws(LedgerError)
    /// Whether the execution has a monitor that runs.
    func isMonitored(_ execution: UUIDv7) async throws(LedgerError) -> Bool
    /// Stops the execution's monitors. Their checks stay on record.
    func stop(execution: UUIDv7) async throws(LedgerError)
    /// Takes up to `limit` monitors whose next check is due, and puts their next one an interval ahead.
    func takeDue(limit: Int) async throws(LedgerError) -> [HealthMonitor]
    /// Writes a check into `system_health_checks`.
    func record(_ result: ProbeResult, of monitor: HealthMonitor) async throws(LedgerError)
}
