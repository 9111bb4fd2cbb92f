import CLibpq
import Domain
import Glibc
import Logging

/// A connection used by one thread, which waits for each answer. Not Sendable: it stays on its thread.
final class Session {
    private static let attemptLimit = 4

    private let url: String
    private let configuration: DatabaseConfiguration
    private let counts: ConnectionCounts
    private let logger: Logger
    private var connection: Connection?
    private var backoff = Backoff()
    /// How long the server may take for one statement.
    var answerTimeout: Duration

    init(url: String, configuration: DatabaseConfiguration, counts: ConnectionCounts, logger: Logger) {
        self.url = url
        self.configuration = configuration
        self.counts = counts
        self.logger = logger
        answerTimeout = configuration.answerTimeout
    }

    deinit { disconnect() }

    /// Carries out one statement, unnamed.
    func query(_ sql: String, _ parameters: [SQLValue] = []) throws(DatabaseError) -> Rows {
        let buffer = try ParameterBuffer(parameters)
        return try exchange { $0.send(sql, buffer) }
    }

    /// Carries out several statements given as one text; answers the rows of the last.
    @discardableResult
    func script(_ sql: String) throws(DatabaseError) -> Rows { try exchange { $0.sendScript(sql) } }

    /// Carries out one statement, idempotent, on its own: connecting and the answer are bounded by the deadline.
    func statement(
        _ sql: String, _ parameters: [SQLValue], until deadline: ContinuousClock.Instant
    ) -> Result<Rows, DatabaseError> {
        counts.began()
        defer { counts.ended() }
        var attempts = 0
        while true {
            do throws(DatabaseError) {
                try connect(until: deadline)
                answerTimeout = max(.zero, deadline - .now)
                return .success(try query(sql, parameters))
            } catch {
                attempts += 1
                guard attempts < Self.attemptLimit, .now < deadline, Self.mayRetry(error) else {
                    return .failure(error)
                }
            }
        }
    }

    /// A password as the server may see it; connected only.
    func scramVerifier(of password: String, role: String) throws(DatabaseError) -> String {
        guard let connection else { throw .disconnected("the connection was lost") }
        guard let verifier = connection.scramVerifier(of: password, role: role) else {
            throw .disconnected(connection.errorText)
        }
        return verifier
    }

    /// Major version times 10,000, as `server_version_num`.
    var serverVersion: Int { connection?.serverVersion ?? 0 }
}

// MARK: - Transactions

extension Session {
    func transaction<Value>(
        until deadline: ContinuousClock.Instant, _ body: (Session) throws(DatabaseError) -> Value
    ) -> Result<Value, DatabaseError> {
        counts.began()
        defer { counts.ended() }
        var attempts = 0
        while true {
            // Connecting has tried again by itself.
            do throws(DatabaseError) { try connect(until: deadline) } catch { return .failure(error) }
            do throws(DatabaseError) {
                return .success(try attempt(body))
            } catch {
                attempts += 1
                guard attempts < Self.attemptLimit, Self.mayRetry(error) else { return .failure(error) }
                logger.debug("transaction is tried again", metadata: ["reason": "\(error.ledgerError.message)"])
            }
        }
    }

    private func attempt<Value>(_ body: (Session) throws(DatabaseError) -> Value) throws(DatabaseError) -> Value {
        try script("BEGIN")
        let value: Value
        do {
            value = try body(self)
        } catch {
            if connection != nil { _ = try? script("ROLLBACK") }
            throw error
        }
        do {
            try script("COMMIT")
        } catch {
            switch error {
            case .disconnected, .timedOut: throw .commitUnknown
            default: throw error
            }
        }
        return value
    }

    private static func mayRetry(_ error: DatabaseError) -> Bool {
        switch error {
        case .disconnected: true
        case .refused(let refusal): refusal.sqlState.hasPrefix("40")
        default: false
        }
    }
}

// MARK: - Connecting and waiting

extension Session {
    /// Makes sure that there is a connection, trying until the deadline, or once.
    func connect(until deadline: ContinuousClock.Instant, once: Bool = false) throws(DatabaseError) {
        if let connection {
            // A server that went away while nobody asked has left its farewell in the socket.
            if connection.isUsable, connection.receive(), connection.isUsable { return }
            disconnect()
        }
        var failure: String?
        repeat {
            // Half of what is left at most: a pause that took all of it would leave no time to try, each time anew.
            let pause = min(backoff.pause(), max(.zero, (deadline - .now) / 2))
            if pause > .zero { usleep(UInt32(clamping: pause.microseconds)) }
            guard let attempt = Connection(connectingTo: url, applicationName: configuration.applicationName) else {
                throw .disconnected("memory is exhausted")
            }
            if establish(attempt, until: deadline) {
                connection = attempt
                counts.opened()
                backoff.reset()
                return
            }
            // An attempt that the deadline cut off has nothing to tell; one before it may have.
            if attempt.hasFailed { failure = attempt.errorText }
        } while !once && .now < deadline
        throw .disconnected(failure ?? "the server did not answer in time")
    }

    private func establish(_ connection: Connection, until deadline: ContinuousClock.Instant) -> Bool {
        guard connection.descriptor >= 0 else { return false }
        var events = Int16(POLLOUT)
        while wait(connection, for: events, until: deadline) {
            switch connection.advance() {
            case .ready: return true
            case .failed: return false
            case .reading: events = Int16(POLLIN)
            case .writing: events = Int16(POLLOUT)
            }
        }
        return false
    }

    private func disconnect() {
        guard connection != nil else { return }
        connection = nil
        counts.closed()
    }

    /// Sends, and waits for all replies.
    private func exchange(_ send: (Connection) -> Bool) throws(DatabaseError) -> Rows {
        guard let connection else { throw .disconnected("the connection was lost") }
        guard send(connection) else { throw lost(connection.errorText) }
        let deadline = ContinuousClock.now.advanced(by: answerTimeout)
        var rows: Rows?
        var refusal: ServerRefusal?
        while true {
            guard let isPending = connection.flush() else { throw lost(connection.errorText) }
            if isPending || connection.isAwaiting {
                let events = Int16(isPending ? POLLIN | POLLOUT : POLLIN)
                guard wait(connection, for: events, until: deadline) else {
                    disconnect()
                    throw .timedOut(answerTimeout)
                }
                guard connection.receive() else { throw lost(connection.errorText) }
                continue
            }
            switch connection.reply() {
            case .rows(let result): rows = result
            case .refused(let reply): refusal = refusal ?? reply
            case .skipped, .synchronized: break
            case .end:
                if let refusal {
                    if refusal.kind == .connection { throw lost(refusal.message) }
                    throw .refused(refusal)
                }
                guard let rows else { throw lost(connection.errorText) }
                return rows
            }
        }
    }

    private func lost(_ reason: String) -> DatabaseError {
        disconnect()
        return .disconnected(reason)
    }

    private func wait(
        _ connection: Connection, for events: Int16, until deadline: ContinuousClock.Instant
    ) -> Bool {
        while true {
            let left = deadline - .now
            guard left > .zero else { return false }
            var request = pollfd(fd: connection.descriptor, events: events, revents: 0)
            let count = unsafe poll(&request, 1, Int32(clamping: left.milliseconds + 1))
            if count > 0 { return true }
            if count < 0, errno != EINTR { return false }
        }
    }
}
