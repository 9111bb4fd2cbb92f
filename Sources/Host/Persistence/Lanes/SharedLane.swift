import Domain
import Logging
import Synchronization

/// The lane for statements that are idempotent by key: those that wait together travel together, as one batch with
/// one synchronisation and so one commit.
///
/// A batch is one implicit transaction: when a statement of it is refused, all of it is rolled back and carried out
/// again one by one, so that a bad statement fails alone. Statements of one execution keep to one connection while any
/// is under way, and become durable in the order in which they were given. One thread with epoll serves all
/// connections.
final class SharedLane: Sendable {
    struct Inbox {
        var jobs: [SharedJob] = []
        var isClosing = false
        var isOver = false
        var closers: [CheckedContinuation<Void, Never>] = []
    }

    let url: String
    let connections: Int
    private let limit: Int
    let configuration: DatabaseConfiguration
    let counts: ConnectionCounts
    let logger: Logger
    let wake: EventCounter
    let inbox = Mutex(Inbox())
    /// Statements that wait or are under way.
    let outstanding = Atomic(0)

    /// - Parameter limit: statements that may wait or be under way; one more is refused.
    init(
        _ name: String, connections: Int, limit: Int, url: String, configuration: DatabaseConfiguration,
        counts: ConnectionCounts, logger: Logger
    ) throws(DatabaseError) {
        self.url = url
        self.connections = connections
        self.limit = limit
        self.configuration = configuration
        self.counts = counts
        self.logger = logger
        wake = try EventCounter(.signal)
        let loop = try SharedLaneLoop.Descriptors()
        try DatabaseThread.start(name) { [self] in SharedLaneLoop(self, loop).run() }
    }

    /// Carries out one statement; durable when it returns. Cancelling the task does not take it back.
    ///
    /// - Parameter affinity: statements with the same value are carried out in order.
    func execute(
        _ statement: Statement, _ parameters: [SQLValue], affinity: UUIDv7? = nil
    ) async throws(DatabaseError) -> Rows {
        let buffer = try ParameterBuffer(parameters)
        guard outstanding.add(1, ordering: .relaxed).newValue <= limit else {
            outstanding.subtract(1, ordering: .relaxed)
            throw .overloaded
        }
        let deadline = ContinuousClock.now.advanced(by: configuration.connectionWait)
        let result = await withCheckedContinuation { continuation in
            submit(
                SharedJob(
                    statement: statement, parameters: buffer, affinity: affinity, deadline: deadline,
                    continuation: continuation))
        }
        outstanding.subtract(1, ordering: .relaxed)
        return try result.get()
    }

    private func submit(_ job: SharedJob) {
        let (isAccepted, isFirst) = inbox.withLock { inbox in
            guard !inbox.isClosing else { return (false, false) }
            inbox.jobs.append(job)
            return (true, inbox.jobs.count == 1)
        }
        if !isAccepted { job.finish(.failure(.closed)) } else if isFirst { wake.add() }
    }

    /// Lets the statements that were given finish, as long as they would wait for a connection, and disconnects.
    func close() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isOver = inbox.withLock { inbox in
                inbox.isClosing = true
                if !inbox.isOver { inbox.closers.append(continuation) }
                return inbox.isOver
            }
            if isOver { continuation.resume() } else { wake.add() }
        }
    }
}

/// A statement on the shared lane and whoever waits for it.
struct SharedJob {
    let statement: Statement
    let parameters: ParameterBuffer
    let affinity: UUIDv7?
    /// When it stops waiting for a connection.
    let deadline: ContinuousClock.Instant
    let continuation: CheckedContinuation<Result<Rows, DatabaseError>, Never>
    /// How often it was sent in vain.
    var attempts = 0

    func finish(_ result: Result<Rows, DatabaseError>) { continuation.resume(returning: result) }
}
