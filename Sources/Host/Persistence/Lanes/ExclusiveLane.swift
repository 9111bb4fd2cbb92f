import Logging

/// A lane of a few connections, each on a thread of its own with one statement under way: for transactions, and for
/// what must not wait behind others.
final class ExclusiveLane: Sendable {
    private let threads: WorkerThreads<Session>
    private let configuration: DatabaseConfiguration

    init(
        _ name: String, connections: Int, url: String, configuration: DatabaseConfiguration, counts: ConnectionCounts,
        logger: Logger
    ) throws(DatabaseError) {
        self.configuration = configuration
        threads = try WorkerThreads(
            name, threads: connections, limit: configuration.exclusiveWaitLimit
        ) { Session(url: url, configuration: configuration, counts: counts, logger: logger) }
    }

    /// Runs `body` in a transaction, on a thread of the lane: it may block on the session, and on nothing else.
    ///
    /// `body` runs again after a serialisation failure or deadlock, or when the connection is lost before the
    /// commit; not when the server takes longer than `answerTimeout`. An error it throws rolls back.
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

    /// Carries out one statement, idempotent, without a transaction around it.
    ///
    /// - Parameter bound: for all of it: the wait for a connection, connecting, the answer.
    func execute(
        _ sql: String, _ parameters: [SQLValue], within bound: Duration
    ) async throws(DatabaseError) -> Rows {
        let deadline = ContinuousClock.now.advanced(by: bound)
        return try await threads.run { $0.statement(sql, parameters, until: deadline) }
    }

    /// Lets the transactions that wait finish, and disconnects.
    func close() async { await threads.stop() }
}
