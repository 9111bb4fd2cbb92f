import Synchronization

/// A place where calls wait until somebody lets them go, and where others learn that they have come.
///
/// States: closed (calls wait) → released (nobody waits any more, for good).
final class Hold: Sendable {
    private struct State {
        var isReleased = false
        /// The sequence numbers of all calls that ever came, in order.
        var arrived: [Int] = []
        var waiting: [Int: CheckedContinuation<Void, any Error>] = [:]
        /// Calls that were given up before they came to wait.
        var abandoned: Set<Int> = []
        var watching: [Int: (count: Int, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var nextWatcher = 0

        /// - Returns: those who waited for this many calls to come.
        mutating func arrive(
            _ sequence: Int, _ continuation: CheckedContinuation<Void, any Error>
        ) -> [CheckedContinuation<Void, any Error>] {
            arrived.append(sequence)
            waiting[sequence] = continuation
            let reached = watching.filter { $0.value.count <= arrived.count }
            for key in reached.keys { watching[key] = nil }
            return reached.values.map(\.continuation)
        }
    }

    private let state = Mutex(State())

    /// The calls that wait now.
    var waiting: [Int] { state.withLock { $0.waiting.keys.sorted() } }

    /// Waits, as the call of this sequence number, until the hold is released.
    ///
    /// - Throws: `CancellationError` where the task is cancelled or the call is abandoned first.
    func wait(as sequence: Int) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                var reached: [CheckedContinuation<Void, any Error>] = []
                let known = state.withLock { state -> Result<Void, any Error>? in
                    if state.isReleased { return .success(()) }
                    if Task.isCancelled || state.abandoned.remove(sequence) != nil {
                        return .failure(CancellationError())
                    }
                    reached = state.arrive(sequence, continuation)
                    return nil
                }
                if let known { continuation.resume(with: known) }
                for watcher in reached { watcher.resume() }
            }
        } onCancel: {
            abandon(sequence)
        }
    }

    /// Ends one call's waiting, or its attempt to wait later on.
    func abandon(_ sequence: Int) {
        let continuation = state.withLock { state in
            if !state.arrived.contains(sequence), !state.isReleased { state.abandoned.insert(sequence) }
            return state.waiting.removeValue(forKey: sequence)
        }
        continuation?.resume(throwing: CancellationError())
    }

    /// Returns once so many calls have come, or the hold is released.
    func arrivals(atLeast count: Int) async throws {
        let watcher = state.withLock { state in
            state.nextWatcher += 1
            return state.nextWatcher
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let known = state.withLock { state -> Result<Void, any Error>? in
                    if state.isReleased || state.arrived.count >= count { return .success(()) }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.watching[watcher] = (count, continuation)
                    return nil
                }
                if let known { continuation.resume(with: known) }
            }
        } onCancel: {
            state.withLock { $0.watching.removeValue(forKey: watcher)?.continuation }?
                .resume(throwing: CancellationError())
        }
    }

    /// Lets every call go, now and from now on.
    func release() {
        let continuations = state.withLock { state in
            defer {
                state.isReleased = true
                state.waiting = [:]
                state.watching = [:]
            }
            return Array(state.waiting.values) + state.watching.values.map(\.continuation)
        }
        for continuation in continuations { continuation.resume() }
    }
}
