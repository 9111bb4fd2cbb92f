import Logging

/// The lane for transactions: a few connections, each on a thread of its own with one statement under way.
final class ExclusiveLane: Sendable {
    private let threads: WorkerThreads<Session>
    private let configuration: DatabaseConfiguration

    init(
        url: String, configuration: DatabaseConfiguration, counts: ConnectionCounts, logger: Logger
    ) throws(DatabaseError) {
        self.configuration = configuration
        threads = try WorkerThreads(
            "db-exclusive", threads: configuration.exclusiveConnections, limit: configuration.exclusiveWaitLimit
        ) { Session(url: url, configuration: configuration, counts: counts, logger: logger) }
    }

    /// Runs `body` in a transaction, on a thread of the lane: it may block on the session, and on nothing else.
    ///
    /// `body` runs again after a serialisation failure or deadlock, or when the connection is lost before the
    /// commit. An error it throws rolls back.
    ///
    /// - Parameter answerTimeout: for one statement; nil for the configured one.
    func transaction<Value: Sendable>(
        answerTimeout: Duration? = nil, _ body: @escaping @Sendable (Session) throws(DatabaseError) -> Value
    ) async throws(DatabaseError) -> Value {
        let deadline = ContinuousClock.now.advanced(by: configuration.connectionWait)
        let timeout = answerTimeout ?? configuration.answerTimeout
        return try await threads.run { session in
            session.answerTimeout = timeout
            return session.transaction(until: deadline, body)
        }
    }

    /// Lets the transactions that wait finish, and disconnects.
    func close() async { await threads.stop() }
}
