import CLibpq
import Domain
import Glibc
import Synchronization

/// The shared lane's thread: takes what was submitted, waits for the connections, and hands out the replies.
final class SharedLaneLoop {
    /// The epoll descriptor, made before the thread starts so that a refusal reaches the caller.
    struct Descriptors: Sendable {
        let poller: Int32

        init() throws(DatabaseError) {
            poller = aib_epoll_create()
            guard poller >= 0 else { throw .system("epoll_create1", errno) }
        }
    }

    private let lane: SharedLane
    private let poller: Int32
    private let connections: [LaneConnection]
    private var closeDeadline: ContinuousClock.Instant?
    private var lastPublication = ContinuousClock.now

    init(_ lane: SharedLane, _ descriptors: Descriptors) {
        self.lane = lane
        poller = descriptors.poller
        connections = (0..<lane.connections).map { index in
            LaneConnection(key: UInt64(index), poller: descriptors.poller, lane: lane)
        }
        _ = aib_epoll_add(poller, lane.wake.descriptor, aib_epoll_in, UInt64.max)
    }

    func run() {
        var ready = [aib_ready](repeating: aib_ready(), count: 16)
        while true {
            let now = ContinuousClock.now
            for connection in connections { connection.tick(now) }
            if now - lastPublication >= .seconds(1) {
                lane.counts.publish()
                lastPublication = now
            }
            if isFinished(now) { break }
            let timeout = connections.map { $0.patience(now) }.min() ?? .seconds(1)
            let count = unsafe aib_epoll_wait(poller, &ready, Int32(clamping: timeout.milliseconds + 1))
            for report in ready.prefix(Int(count)) {
                if report.key == UInt64.max { lane.wake.drain() } else { connections[Int(report.key)].handle() }
            }
            takeSubmitted()
        }
        for connection in connections { connection.shutDown() }
        close(poller)
        let closers = lane.inbox.withLock { inbox in
            inbox.isOver = true
            defer { inbox.closers = [] }
            return inbox.closers
        }
        for closer in closers { closer.resume() }
    }

    private func takeSubmitted() {
        let jobs = lane.inbox.withLock { inbox in
            defer { inbox.jobs = [] }
            return inbox.jobs
        }
        for job in jobs { connection(for: job).enqueue(job) }
        for connection in connections { connection.startBatch() }
    }

    /// What an execution writes stays behind what it has given before. Beyond a few statements the others go where
    /// they have company: a batch costs the server much less than its statements one by one.
    private func connection(for job: SharedJob) -> LaneConnection {
        if let execution = job.affinity {
            if let holder = connections.first(where: { $0.holds(execution) }) { return holder }
            if lane.outstanding.load(ordering: .relaxed) > connections.count,
                let company = connections.first(where: \.isGathering)
            {
                return company
            }
        }
        // The least busy one; the first of several, which keeps its caches warm.
        var best = connections[0]
        for connection in connections.dropFirst() where connection.load < best.load { best = connection }
        return best
    }

    /// Whether the lane is closing and nothing is left to wait for.
    private func isFinished(_ now: ContinuousClock.Instant) -> Bool {
        let (isClosing, isEmpty) = lane.inbox.withLock { ($0.isClosing, $0.jobs.isEmpty) }
        guard isClosing else { return false }
        let deadline = closeDeadline ?? now.advanced(by: lane.configuration.connectionWait)
        closeDeadline = deadline
        return now >= deadline || (isEmpty && connections.allSatisfy(\.isIdle))
    }
}
