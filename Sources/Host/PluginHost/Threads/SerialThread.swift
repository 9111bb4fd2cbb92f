import Glibc
import Synchronization
import Threads

/// A thread that runs what it is given, one piece after the other. Foreign code that blocks or spins on it holds up
/// its own queue alone.
///
/// The queue has no bound of its own: what is posted is bounded where it arises (calls by the plugin's concurrency,
/// events by the windows of a call and by its number of services and queued events).
///
/// Unchecked: the semaphore is thread-safe.
@safe final class SerialThread: @unchecked Sendable {
    private struct State {
        var work: [@Sendable () -> Void] = []
        var isStopping = false
        /// When the running piece began, on the monotonic clock.
        var busySince: ContinuousClock.Instant?
    }

    private let state = Mutex(State())
    private let wake: UnsafeMutablePointer<sem_t>

    init(name: String) throws(OwnedThread.Unavailable) {
        unsafe wake = .allocate(capacity: 1)
        unsafe sem_init(wake, 0, 0)
        try OwnedThread.startDetached(name: name) { self.run() }
    }

    deinit {
        unsafe sem_destroy(wake)
        unsafe wake.deallocate()
    }

    /// Queues a piece of work; false once the thread was stopped. Any thread.
    @discardableResult
    func post(_ piece: @escaping @Sendable () -> Void) -> Bool {
        let (isOpen, wasEmpty) = state.withLock { state in
            guard !state.isStopping else { return (false, false) }
            state.work.append(piece)
            return (true, state.work.count == 1)
        }
        if wasEmpty { unsafe sem_post(wake) }
        return isOpen
    }

    /// Runs a piece of work here and returns its result; nil where it has not come within the time, or the thread
    /// was stopped. The work goes on all the same.
    func run<Success: Sendable>(
        within time: Duration, _ timers: TimerThread, _ body: @escaping @Sendable () -> Success
    ) async -> Success? {
        await withCheckedContinuation { continuation in
            let answer = FirstAnswer(continuation)
            let timer = timers.schedule(after: time) { answer.resume(nil) }
            let isPosted = post {
                let result = body()
                timers.cancel(timer)
                answer.resume(result)
            }
            if !isPosted { answer.resume(nil) }
        }
    }

    /// Lets the thread end when its queue is empty.
    func stop() {
        state.withLock { $0.isStopping = true }
        unsafe sem_post(wake)
    }

    /// How long the running piece has been running.
    var busyTime: Duration {
        state.withLock { $0.busySince }.map { $0.duration(to: .now) } ?? .zero
    }

    private func run() {
        while true {
            while unsafe sem_wait(wake) != 0 {}
            let (work, isStopping) = state.withLock { state in
                defer { state.work.removeAll() }
                return (state.work, state.isStopping)
            }
            for piece in work {
                state.withLock { $0.busySince = .now }
                piece()
            }
            state.withLock { $0.busySince = nil }
            if isStopping { return }
        }
    }
}

/// A continuation that two may want to resume; the first does.
private final class FirstAnswer<Success: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<Success?, Never>?>

    init(_ continuation: CheckedContinuation<Success?, Never>) { self.continuation = Mutex(continuation) }

    func resume(_ value: Success?) {
        let continuation = continuation.withLock { held in
            defer { held = nil }
            return held
        }
        continuation?.resume(returning: value)
    }
}
