import ServiceLifecycle

/// What goes on after the request that began it is answered: deployments and proxies.
final class BackgroundWork: Sendable {
    typealias Job = @Sendable () async -> Void

    /// Jobs that may wait to begin.
    private static let capacity = 1_000

    private let jobs: AsyncStream<Job>
    private let continuation: AsyncStream<Job>.Continuation

    init() {
        (jobs, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.capacity))
    }

    /// Begins a job beside the others.
    ///
    /// - Returns: false where it never begins: too many wait, or the work has ended.
    func begin(_ job: @escaping Job) -> Bool {
        if case .enqueued = continuation.yield(job) { return true }
        return false
    }

    /// Does the work until a graceful shutdown or a cancellation, which cancels what is under way and waits for it.
    func run() async {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for await job in self.jobs { group.addTask { await job() } }
                group.cancelAll()
            }
        }
        continuation.finish()
    }
}
