import CLibpq
import Domain
import Logging

/// One connection of the shared lane with the statements that keep to it. Stays on the lane's thread.
final class LaneConnection {
    private enum Phase {
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

    /// Statements beyond this many wait for the next batch: past it nothing is gained.
    private static let batchLimit = 64
    /// How often a statement is sent before its failure is final.
    private static let attemptLimit = 5

    private let key: UInt64
    private let poller: Int32
    private let lane: SharedLane
    private var phase = Phase.disconnected(until: .now)
    private var connection: Connection?
    private var queue = Fifo<SharedJob>()
    private var batch = Batch()
    /// How many statements at the front of the queue go one by one, because their batch failed.
    private var singles = 0
    private var backoff = Backoff()
    /// Why there is no connection; nil while there is one.
    private var lastFailure: String?
    /// Whether a transaction pooler stands between: nothing set on the session can be relied on.
    private var isPooled = false

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

    func enqueue(_ job: SharedJob) { queue.append(job) }

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
        for job in queue.removeAll(where: { $0.deadline < now }) { job.finish(.failure(.disconnected(reason))) }
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
        for job in batch.jobs + queue.popFirst(.max) { job.finish(.failure(.closed)) }
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

    /// Sets the session up, if it is our own: a pooler's backend has another id than the one it told. Bounds lock
    /// waits, and keeps the plans of prepared statements: what is frequent here goes by keys, but for a partitioned
    /// table PostgreSQL would plan each anew, at a third of a settlement's time.
    private func introduce() {
        guard let connection else { return }
        phase = .introducing(since: .now)
        watch(aib_epoll_in)
        let sql = """
            SELECT set_config('lock_timeout', $2, false), set_config('plan_cache_mode', 'force_generic_plan', false)
            WHERE pg_backend_pid() = $1::integer
            """
        guard let parameters = try? ParameterBuffer([.integer(connection.backendPID), .text(lockTimeout)]),
            connection.send(sql, parameters)
        else { return disconnect(connection.errorText) }
        batch = Batch()
        flush()
    }

    private var lockTimeout: String { "\(lane.configuration.lockTimeout.milliseconds)ms" }

    /// Closes the connection. What was under way waits again, to be sent one by one: whether it was carried out is
    /// unknown, and it is idempotent.
    private func disconnect(_ reason: String) {
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

    private func retry(_ jobs: [SharedJob], _ failure: () -> Result<Rows, DatabaseError>) {
        var kept: [SharedJob] = []
        for var job in jobs {
            job.attempts += 1
            if job.attempts >= Self.attemptLimit { job.finish(failure()) } else { kept.append(job) }
        }
        queue.prepend(kept)
        singles = max(singles, kept.count)
    }

    /// While connecting libpq may replace its socket by another of the same number, which epoll has forgotten.
    private func watch(_ events: UInt32) {
        guard let connection else { return }
        if aib_epoll_change(poller, connection.descriptor, events, key) != 0 {
            _ = aib_epoll_add(poller, connection.descriptor, events, key)
        }
    }
}

// MARK: - Batches

extension LaneConnection {
    /// Sends what waits as one batch, unless one is under way.
    func startBatch() {
        guard case .ready = phase, let connection, !queue.isEmpty else { return }
        batch = Batch(jobs: queue.popFirst(singles > 0 ? 1 : Self.batchLimit))
        phase = .busy(since: .now)
        lane.counts.began()
        guard send(batch.jobs, on: connection), connection.synchronize() else {
            return disconnect(connection.errorText)
        }
        flush()
    }

    private func send(_ jobs: [SharedJob], on connection: Connection) -> Bool {
        if isPooled {
            guard let parameters = try? ParameterBuffer([.text(lockTimeout)]),
                connection.send("SELECT set_config('lock_timeout', $1, true)", parameters)
            else { return false }
            batch.steps.append(.setting)
        }
        var preparing: Set<String> = []
        for (index, job) in jobs.enumerated() {
            if let name = job.statement.name, !isPooled {
                if !connection.prepared.contains(name), preparing.insert(name).inserted {
                    guard connection.prepare(name, job.statement.sql) else { return false }
                    batch.steps.append(.preparation(name))
                }
                guard connection.sendPrepared(name, job.parameters) else { return false }
            } else {
                guard connection.send(job.statement.sql, job.parameters) else { return false }
            }
            batch.steps.append(.job(index))
        }
        return true
    }

    private func flush() {
        guard let connection else { return }
        guard let isPending = connection.flush() else { return disconnect(connection.errorText) }
        if isPending != batch.isWaitingToWrite {
            batch.isWaitingToWrite = isPending
            watch(isPending ? aib_epoll_in | aib_epoll_out : aib_epoll_in)
        }
    }

    private func readReplies() {
        while let connection, !connection.isAwaiting {
            switch (phase, connection.reply()) {
            case (_, .refused(let refusal)) where refusal.kind == .connection || refusal.kind == .stalePlan:
                // A prepared statement that no longer fits the schema is cured by a new session.
                return disconnect("\(refusal.message) (SQLSTATE \(refusal.sqlState))")
            case (.introducing, .rows(let rows)): isPooled = rows.isEmpty
            case (.introducing, .end):
                guard connection.enterPipeline() else { return disconnect(connection.errorText) }
                backoff.reset()
                lastFailure = nil
                phase = .ready
                return startBatch()
            case (.busy, .synchronized): return finishBatch()
            case (.busy, let reply):
                if let name = batch.take(reply) { connection.prepared.insert(name) }
                if batch.isOverrun { return disconnect("the server's replies are out of step") }
            case (.introducing, let reply): return disconnect("the session could not be set up: \(reply)")
            default: return
            }
        }
    }

    private func finishBatch() {
        let finished = batch
        batch = Batch()
        phase = .ready
        lane.counts.ended()
        defer { startBatch() }
        guard let refusal = finished.refusal else {
            if singles > 0 { singles -= 1 }
            for (job, rows) in zip(finished.jobs, finished.rows) {
                job.finish(rows.map { .success($0) } ?? .failure(.disconnected("the server sent no reply")))
            }
            return
        }
        if finished.jobs.count > 1 {
            // Nothing of it happened: a replay is not an attempt in vain for those that did nothing wrong.
            queue.prepend(finished.jobs)
            singles = max(singles, finished.jobs.count)
        } else if refusal.kind == .retryable {
            singles = max(0, singles - 1)
            retry(finished.jobs, { .failure(.refused(refusal)) })
        } else {
            singles = max(0, singles - 1)
            for job in finished.jobs { job.finish(.failure(.refused(refusal))) }
        }
    }
}
