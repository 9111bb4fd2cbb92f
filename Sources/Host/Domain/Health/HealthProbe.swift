/// What one look at a service found.
public struct ProbeResult: Sendable, Hashable {
    public let isHealthy: Bool
    public let latency: Duration
    /// The HTTP status, where there was an answer.
    public let status: Int?
    /// Why it is not healthy, in words for an API client; no secret, no connection URL.
    public let reason: String?
    /// Nobody looked, for this host may not or the address is none: looking again cannot help.
    public let isRefused: Bool

    public init(
        isHealthy: Bool, latency: Duration, status: Int? = nil, reason: String? = nil, isRefused: Bool = false
    ) {
        self.isHealthy = isHealthy
        self.latency = latency
        self.status = status
        self.reason = reason
        self.isRefused = isRefused
    }
}

/// The port to looking whether what a run made answers.
public protocol HealthProbe: Sendable {
    /// - Parameter expectedStatus: any from 200 to 299 where it is nil.
    func http(_ url: String, expectedStatus: Int?, timeout: Duration) async -> ProbeResult
    /// Connects and runs `SELECT 1`.
    func database(_ url: String, timeout: Duration) async -> ProbeResult
}
