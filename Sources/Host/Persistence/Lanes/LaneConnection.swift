import CLibpq
import Domain
import Logging

/// One connection of the shared lane with the statements that keep to it. Stays on the lane's thread.
final class LaneConnection {
    enum Phase {
        /// Becomes `connecting` at the given time.
        case disconnected(until: ContinuousClock.Instant)
        /// Becomes `introducing`, or `disconnected` on a failure or after `connectionWait`.
        case connecting(since: ContinuousClock.Instant)
        /// The session is being set up. Becomes `ready`, or `disconnected` like `connecting`.
        case introducing(since: ContinuousClock.Instant)
        /// Becomes `busy` with the next batch, or `disconnected`.
        case ready
        /// A batch is under way. Becomes `ready` at its synchronisation, or `disconnected`.
        case busy(since: ContinuousClock.Instant)
    }

    /// How often a statement is sent before its failure is final.
    private static let attemptLimit = 5

    private let key: UInt64
    private let poller: Int32
    let lane: SharedLane
    var phase = Phase.disconnected(until: .now)
    var connection: Connection?
    var queue = Fifo<SharedJob>()
    var batch = Batch()
    /// How many statements at the front of the queue go one by one, because their batch failed.
    var singles = 0
    var backoff = Backoff()
    /// Why there is no connection; nil while there is one.
    var lastFailure: String?
    /// Whether a transaction pooler stands between: nothing set on the session can be relied on.
    var isPooled = false
    /// How many statements of each execution wait or are under way.
    private var held: [UUIDv7: Int] = [:]

    init(key: UInt64, poller: Int32, lane: SharedLane) {
        self.key = key
        self.poller = poller
        self.lane = lane
    }

    var isIdle: Bool { queue.isEmpty && batch.jobs.isEmpty }

    /// How much is before a statement that comes now.
    var load: Int {
        let isConnected =
            switch phase {
            case .ready, .busy: true
            default: false
            }
        return queue.count + batch.jobs.count + (isConnected ? 0 : 1_000)
    }

    /// Whether a statement that comes now would wait for others, and have company when it is sent.
    var isGathering: Bool { if case .busy = phase { queue.count < Self.gatheringLimit } else { false } }

    func holds(_ execution: UUIDv7) -> Bool { held[execution] != nil }

    func enqueue(_ job: SharedJob) {
        if let execution = job.affinity { held[execution, default: 0] += 1 }
        queue.append(job)
    }

    func finish(_ job: SharedJob, _ result: Result<Rows, DatabaseError>) {
        if let execution = job.affinity, let count = held[execution] { held[execution] = count > 1 ? count - 1 : nil }
        job.finish(result)
    }

    /// How long the loop may sleep for this connection's sake.
    func patience(_ now: ContinuousClock.Instant) -> Duration {
        switch phase {
        case .disconnected(let until): min(.milliseconds(50), max(.zero, until - now))
        case .connecting, .introducing: .milliseconds(50)
        case .ready, .busy: min(.seconds(1), max(.zero, (queue.first?.deadline ?? now + .seconds(1)) - now))
        }
    }

    /// What time alone brings: reconnecting, giving up on an answer, failing what waited too long.
    func tick(_ now: ContinuousClock.Instant) {
        let configuration = lane.configuration
        switch phase {
        case .disconnected(let until): if now >= until { connect(now) }
        case .connecting(let since), .introducing(let since):
            let bound = configuration.connectionWait
            if now - since > bound { disconnect("no connection could be made within \(bound)") }
        case .busy(let since):
            let bound = configuration.answerTimeout
            if now - since > bound { disconnect("the server did not answer within \(bound)") }
        case .ready: break
        }
        // The oldest is first: while it may wait, all may.
        guard let first = queue.first, first.deadline < now else { return }
        let reason = waitReason
        for job in queue.removeAll(where: { $0.deadline < now }) { finish(job, .failure(.disconnected(reason))) }
        singles = min(singles, queue.count)
    }

    /// What a statement waits for that is not under way.
    private var waitReason: String {
        switch phase {
        case .ready, .busy: "its connection was busy for longer than \(lane.configuration.connectionWait)"
        case .disconnected, .connecting, .introducing: lastFailure ?? "no connection was made yet"
        }
    }

    /// The socket is ready, or broken.
    func handle() {
        guard let connection else { return }
        switch phase {
        case .connecting:
            switch connection.advance() {
            case .reading: watch(aib_epoll_in)
            case .writing: watch(aib_epoll_out)
            case .ready: introduce()
            case .failed: disconnect(connection.errorText)
            }
        case .introducing, .ready, .busy:
            guard connection.receive() else { return disconnect(connection.errorText) }
            flush()
            readReplies()
        case .disconnected: break
        }
    }

    /// Fails what is left and closes the connection.
    func shutDown() {
        for job in batch.jobs + queue.popFirst(.max) { finish(job, .failure(.closed)) }
        batch = Batch()
        if case .busy = phase { lane.counts.ended() }
        if connection != nil { lane.counts.closed() }
        connection = nil
    }
}

// MARK: - Connecting

extension LaneConnection {
    private func connect(_ now: ContinuousClock.Instant) {
        let name = lane.configuration.applicationName
        guard let connection = Connection(connectingTo: lane.url, applicationName: name) else {
            return disconnect("memory is exhausted")
        }
        self.connection = connection
        lane.counts.opened()
        phase = .connecting(since: now)
        guard connection.descriptor >= 0 else { return disconnect(connection.errorText) }
        watch(aib_epoll_out)
    }

    private func introduce() {
        guard let connection else { return }
        phase = .introducing(since: .now)
        watch(aib_epoll_in)
        guard let parameters = try? ParameterBuffer([.integer(connection.backendPID), .text(lockTimeout)]),
            connection.send(Self.introduction, parameters)
        else { return disconnect(connection.errorText) }
        batch = Batch()
        flush()
    }

    var lockTimeout: String { "\(lane.configuration.lockTimeout.milliseconds)ms" }

    /// Closes the connection. What was under way waits again, to be sent one by one: whether it was carried out is
    /// unknown, and it is idempotent.
    func disconnect(_ reason: String) {
        if connection != nil { lane.counts.closed() }
        if case .busy = phase { lane.counts.ended() }
        connection = nil
        // An outage is one line a connection, not one an attempt.
        if reason != lastFailure {
            lane.logger.warning("database connection lost", metadata: ["reason": "\(reason)"])
        }
        lastFailure = reason
        phase = .disconnected(until: .now.advanced(by: backoff.pause()))
        retry(batch.jobs, { .failure(.disconnected(reason)) })
        batch = Batch()
    }

    func retry(_ jobs: [SharedJob], _ failure: () -> Result<Rows, DatabaseError>) {
        var kept: [SharedJob] = []
        for var job in jobs {
            job.attempts += 1
            if job.attempts >= Self.attemptLimit { finish(job, failure()) } else { kept.append(job) }
        }
        queue.prepend(kept)
        singles = max(singles, kept.count)
    }

    /// While connecting libpq may replace its socket by another of the same number, which epoll has forgotten.
    func watch(_ events: UInt32) {
        guard let connection else { return }
        if aib_epoll_change(poller, connection.descriptor, events, key) != 0 {
            _ = aib_epoll_add(poller, connection.descriptor, events, key)
        }
    }
}
