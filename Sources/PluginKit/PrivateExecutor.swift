internal import Glibc
internal import Synchronization
internal import Threads

/// One thread that runs the tasks of one plugin instance, and nothing else does: a plugin that spins holds up
/// neither the host's tasks nor another plugin's.
///
/// Unchecked: the semaphore is thread-safe, and the thread's handle is touched by `init` and `stop` alone.
@safe final class PrivateExecutor: TaskExecutor, @unchecked Sendable {
    private struct State {
        var jobs: [UnownedJob] = []
        var isStopping = false
    }

    private let state = Mutex(State())
    private let wake: UnsafeMutablePointer<sem_t>
    private var thread: OwnedThread?

    /// - Throws: `PluginError` where the system gives no thread.
    init() throws(PluginError) {
        unsafe wake = .allocate(capacity: 1)
        unsafe sem_init(wake, 0, 0)
        do { thread = try OwnedThread.start(name: "plugin-tasks") { self.run() } } catch {
            throw PluginError(.internal, "\(error)")
        }
    }

    deinit {
        unsafe sem_destroy(wake)
        unsafe wake.deallocate()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let wasEmpty = state.withLock { state in
            state.jobs.append(job)
            return state.jobs.count == 1
        }
        if wasEmpty { unsafe sem_post(wake) }
    }

    /// Runs what is queued to its next suspension, then ends and joins the thread. Called once, from another thread.
    func stop() {
        state.withLock { $0.isStopping = true }
        unsafe sem_post(wake)
        thread?.join()
    }

    private func run() {
        while true {
            while unsafe sem_wait(wake) != 0 {}
            // Jobs that a job of this round enqueues are found in the next: their enqueueing woke the thread again.
            let (jobs, isStopping) = state.withLock { state in
                defer { state.jobs = [] }
                return (state.jobs, state.isStopping)
            }
            for job in jobs { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
            if isStopping, jobs.isEmpty { return }
            if isStopping { unsafe sem_post(wake) }
        }
    }
}
