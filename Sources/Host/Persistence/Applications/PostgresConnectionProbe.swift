public import Domain
public import Logging

/// Looks whether an application's database answers. Usable from any task.
public final class PostgresConnectionProbe: Sendable {
    private let sessions: ApplicationSessions

    public init(logger: Logger) { sessions = ApplicationSessions(logger: logger) }

    /// Connects, once, and runs `SELECT 1`.
    ///
    /// - Parameter timeout: for connecting, and again for the answer.
    /// - Returns: what was found; the reason names host and role at most, never the URL or the password.
    public func probe(_ url: String, timeout: Duration) async -> ProbeResult {
        let start = ContinuousClock.now
        do throws(DatabaseError) {
            let answers = try await sessions.run(url, timeout: timeout) { session throws(DatabaseError) in
                try session.query("SELECT 1").integer(0, 0) == 1
            }
            return ProbeResult(
                isHealthy: answers, latency: .now - start, reason: answers ? nil : "the database answers nonsense")
        } catch {
            let reason = error.refusal.map { "\($0.message) (SQLSTATE \($0.sqlState))" } ?? error.ledgerError.message
            return ProbeResult(isHealthy: false, latency: .now - start, reason: reason)
        }
    }
}
