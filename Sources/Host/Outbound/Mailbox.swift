import CLibcurl
import Glibc
import Synchronization

/// What callers' threads and the client's thread share: the transfers that have new orders, how many are in flight,
/// and whether the client is to stop. A transfer is listed at most once, however many orders it has.
final class Mailbox: Sendable {
    private enum Phase { case running, stopping, closed, ended }

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
            guard state.phase == .running || state.phase == .stopping else { return (false, false) }
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
            let hasEnded = state.withLock { state in
                if state.phase != .ended { state.waiters.append(continuation) }
                return state.phase == .ended
            }
            if hasEnded { continuation.resume() }
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

    /// Takes no more orders, where none is listed.
    func close() -> Bool {
        state.withLock { state in
            guard state.posted.isEmpty else { return false }
            state.phase = .closed
            return true
        }
    }

    /// Tells whoever waits that all is over; the thread's last act.
    func end() {
        let waiters = state.withLock { state in
            state.phase = .ended
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
