import CLibcurl
import Glibc
import Synchronization

/// What callers' threads and the client's thread share: the transfers that have new orders, how many are in flight,
/// and whether the client is to stop. A transfer is listed at most once, however many orders it has.
final class Mailbox: Sendable {
    private enum Phase { case running, stopping, closed }

    private struct State {
        var phase = Phase.running
        var posted: [Transfer] = []
        var inFlight = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// Readable while there is something to collect; the client's thread watches it.
    let wakeup: Int32
    private let state = Mutex(State())

    init() {
        wakeup = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        precondition(wakeup >= 0, "cannot create an eventfd: errno \(errno); raise the limit on open files")
    }

    deinit { _ = Glibc.close(wakeup) }

    // MARK: Callers' side

    /// Takes a place for a transfer; false where `limit` are taken.
    func reserve(limit: Int) -> Bool {
        state.withLock { state in
            guard state.inFlight < limit else { return false }
            state.inFlight += 1
            return true
        }
    }

    /// Lists a transfer with new orders; false where nobody will ever read them.
    @discardableResult
    func post(_ transfer: Transfer) -> Bool {
        let (isOpen, isFirst) = state.withLock { state in
            guard state.phase != .closed else { return (false, false) }
            state.posted.append(transfer)
            return (true, state.posted.count == 1)
        }
        if isFirst { wake() }
        return isOpen
    }

    /// Asks the thread to end.
    func stop() {
        state.withLock { if $0.phase == .running { $0.phase = .stopping } }
        wake()
    }

    func stopAndWait() async {
        stop()
        await withCheckedContinuation { continuation in
            let isClosed = state.withLock { state in
                if state.phase == .closed { return true }
                state.waiters.append(continuation)
                return false
            }
            if isClosed { continuation.resume() }
        }
    }

    private func wake() { _ = eventfd_write(wakeup, 1) }

    // MARK: The client's thread

    /// Takes the list and re-arms the wake-up.
    func collect() -> (posted: [Transfer], isStopping: Bool) {
        var count: eventfd_t = 0
        unsafe _ = eventfd_read(wakeup, &count)
        return state.withLock { state in
            defer { state.posted = [] }
            return (state.posted, state.phase == .stopping)
        }
    }

    /// Gives a place back.
    func release() { state.withLock { $0.inFlight -= 1 } }

    /// Ends the mailbox where nothing is listed any more; the thread's last act.
    func close() -> Bool {
        let waiters: [CheckedContinuation<Void, Never>]? = state.withLock { state in
            guard state.posted.isEmpty else { return nil }
            state.phase = .closed
            defer { state.waiters = [] }
            return state.waiters
        }
        guard let waiters else { return false }
        for waiter in waiters { waiter.resume() }
        return true
    }
}
