import Synchronization

/// A few owned threads that run blocking jobs from one bounded queue. Each thread has a state of its own, such as
/// a connection, that never leaves it.
final class WorkerThreads<State>: Sendable {
    private struct Queue {
        var jobs = Fifo<@Sendable (State) -> Void>()
        var running = 0
        var isStopped = false
        var stopWaiters: [CheckedContinuation<Void, Never>] = []
    }

    private let threads: Int
    private let limit: Int
    private let tokens: EventCounter
    private let queue = Mutex(Queue())

    /// - Parameter limit: jobs that may wait; one more is refused.
    init(
        _ name: String, threads: Int, limit: Int, makeState: @escaping @Sendable () -> State
    ) throws(DatabaseError) {
        self.threads = threads
        self.limit = limit
        tokens = try EventCounter(.semaphore)
        queue.withLock { $0.running = threads }
        for index in 0..<threads {
            try DatabaseThread.start("\(name)-\(index)") { [self] in work(makeState()) }
        }
    }

    /// Runs the job on one of the threads. Cancelling the task does not stop it: a job is short and bounded.
    func run<Value: Sendable>(
        _ job: @escaping @Sendable (State) -> Result<Value, DatabaseError>
    ) async throws(DatabaseError) -> Value {
        let result: Result<Value, DatabaseError> = await withCheckedContinuation { continuation in
            let refusal: DatabaseError? = queue.withLock { queue in
                if queue.isStopped { return .closed }
                if queue.jobs.count >= limit { return .overloaded }
                queue.jobs.append { continuation.resume(returning: job($0)) }
                return nil
            }
            if let refusal { continuation.resume(returning: .failure(refusal)) } else { tokens.add() }
        }
        return try result.get()
    }

    /// Lets the waiting jobs finish, then ends the threads. Further jobs are refused.
    func stop() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let (isFirst, isOver) = queue.withLock { queue in
                let isFirst = !queue.isStopped
                queue.isStopped = true
                if queue.running > 0 { queue.stopWaiters.append(continuation) }
                return (isFirst, queue.running == 0)
            }
            if isOver { continuation.resume() }
            // One token a thread beyond those of the jobs: whichever order they are taken in, all threads end.
            if isFirst { tokens.add(UInt64(threads)) }
        }
    }

    private func work(_ state: State) {
        while true {
            tokens.wait()
            let (job, isOver) = queue.withLock { queue in
                let job = queue.jobs.popFirst()
                return (job, job == nil && queue.isStopped)
            }
            job?(state)
            if isOver { break }
        }
        let waiters = queue.withLock { queue in
            queue.running -= 1
            return queue.running == 0 ? queue.stopWaiters : []
        }
        for waiter in waiters { waiter.resume() }
    }
}
