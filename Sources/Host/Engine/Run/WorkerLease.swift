import Synchronization

/// What this host knows of its own lease, by a clock that does not jump. The database's clock decides who owns
/// what; this one only tells when to stop trusting that it is us.
///
/// A lease that was lost once stays lost: what saw it so has let go, and nothing may come back to it.
final class WorkerLease: Sendable {
    private struct State {
        var renewedAt: Duration?
        var isLost = false
    }

    let duration: Duration
    private let now: @Sendable () -> Duration
    private let state = Mutex(State())

    /// - Parameter now: time since any fixed moment, monotonic.
    init(duration: Duration, now: @escaping @Sendable () -> Duration) {
        self.duration = duration
        self.now = now
    }

    /// - Parameter sentAt: when the renewal was *sent*: the lease cannot have begun later than the server saw it.
    func renewed(sentAt: Duration) {
        state.withLock { state in
            guard !settle(&state) else { return }
            state.renewedAt = max(state.renewedAt ?? sentAt, sentAt)
        }
    }

    /// Gives the lease up: whoever waits for the database under it stops waiting.
    func surrender() { state.withLock { $0.isLost = true } }

    var instant: Duration { now() }

    /// A host that has not renewed for half a lease starts no effect: what it starts now could still be running
    /// when another host takes over.
    var mayStartEffects: Bool {
        state.withLock { state in
            guard !settle(&state), let renewedAt = state.renewedAt else { return false }
            return now() - renewedAt < duration / 2
        }
    }

    /// Another host may own everything by now. A lease that has not begun owns nothing that could be lost.
    var isLost: Bool { state.withLock { settle(&$0) } }

    private func settle(_ state: inout State) -> Bool {
        if let renewedAt = state.renewedAt, now() - renewedAt >= duration { state.isLost = true }
        return state.isLost
    }
}

extension WorkerLease {
    /// Returns when this host may start an effect. A renewal that is late is waited for; only a lease that is lost
    /// lets go of the run.
    func wait(by clock: EngineClock) async throws(RunInterruption) {
        while !mayStartEffects {
            guard !isLost else { throw .leaseLost }
            do { try await clock.sleep(.milliseconds(50)) } catch { throw .stopped }
        }
    }
}
