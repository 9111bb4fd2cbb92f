import Domain
import Synchronization

/// What this host knows of its own lease, by a clock that does not jump. The database's clock decides who owns
/// what; this one only tells when to stop trusting that it is us.
final class WorkerLease: Sendable {
    let duration: Duration
    private let now: @Sendable () -> Duration
    private let renewedAt: Mutex<Duration?>

    /// - Parameter now: time since any fixed moment, monotonic.
    init(duration: Duration, now: @escaping @Sendable () -> Duration) {
        self.duration = duration
        self.now = now
        renewedAt = Mutex(nil)
    }

    /// - Parameter sentAt: when the renewal was *sent*: the lease cannot have begun later than the server saw it.
    func renewed(sentAt: Duration) { renewedAt.withLock { $0 = max($0 ?? sentAt, sentAt) } }

    var instant: Duration { now() }

    private var age: Duration? { renewedAt.withLock { $0 }.map { now() - $0 } }

    /// A host that has not renewed for half a lease starts no effect: what it starts now could still be running
    /// when another host takes over.
    var mayStartEffects: Bool { age.map { $0 < duration / 2 } ?? false }

    /// Another host may own everything by now. A lease that has not begun owns nothing that could be lost.
    var isLost: Bool { age.map { $0 >= duration } ?? false }
}
