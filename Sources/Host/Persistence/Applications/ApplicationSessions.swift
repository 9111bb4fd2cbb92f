import Domain
import Logging
import Synchronization

/// Short sessions with applications' databases, wherever they are: each on a thread of its own that ends with it.
final class ApplicationSessions: Sendable {
    /// Sessions at once; one more is refused as overloaded.
    private static let limit = 16

    private let running = Atomic(0)
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    /// Connects, once, and runs `body` on the session's thread.
    ///
    /// - Parameters:
    ///   - url: names its hosts; see `check`.
    ///   - timeout: for connecting, and for each answer.
    func run<Value: Sendable>(
        _ url: String, timeout: Duration, _ body: @escaping @Sendable (Session) throws(DatabaseError) -> Value
    ) async throws(DatabaseError) -> Value {
        try Self.check(url)
        guard running.add(1, ordering: .relaxed).newValue <= Self.limit else {
            running.subtract(1, ordering: .relaxed)
            throw .overloaded
        }
        defer { running.subtract(1, ordering: .relaxed) }
        let logger = logger
        let result: Result<Value, DatabaseError> = await withCheckedContinuation { continuation in
            do throws(DatabaseError) {
                try DatabaseThread.start("db-application") {
                    continuation.resume(returning: Self.session(url, timeout, logger, body))
                }
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
        return try result.get()
    }

    private static func session<Value>(
        _ url: String, _ timeout: Duration, _ logger: Logger, _ body: (Session) throws(DatabaseError) -> Value
    ) -> Result<Value, DatabaseError> {
        let session = Session(
            url: url, configuration: DatabaseConfiguration(applicationName: "aibackend-application"),
            counts: ConnectionCounts(), logger: logger)
        do throws(DatabaseError) {
            try session.connect(until: .now.advanced(by: timeout), once: true)
            session.answerTimeout = timeout
            return .success(try body(session))
        } catch {
            return .failure(error)
        }
    }

    /// A URL that a provider gave must not lead to a Unix socket, where this host's own user may be let in without a
    /// password, nor to this host's files.
    static func check(_ url: String) throws(DatabaseError) {
        guard (try? ConnectionString.check(url)) != nil, let options = ConnectionString.options(url) else {
            throw rejection("the application's database URL is not a valid connection string")
        }
        let named = options["hostaddr"] ?? options["host"] ?? ""
        let hosts = named.split(separator: ",", omittingEmptySubsequences: false)
        guard hosts.allSatisfy({ !$0.isEmpty && !$0.hasPrefix("/") && !$0.hasPrefix("@") }) else {
            throw rejection("the application's database URL must name a host that is reached over TCP")
        }
        let files = ["service", "passfile", "sslkey", "sslcert", "sslrootcert", "sslcrl", "sslcrldir"]
        if let file = files.first(where: { options[$0] != nil && options[$0] != "system" }) {
            throw rejection("the application's database URL may not name files of this host (\(file))")
        }
    }

    private static func rejection(_ message: String) -> DatabaseError { .aborted(LedgerError(.rejected, message)) }
}
