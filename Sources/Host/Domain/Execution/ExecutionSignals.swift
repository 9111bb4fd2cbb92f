import Synchronization

/// Tells whoever waits on this host that an execution has something new: a checkpoint is durable. A signal says only
/// "look again"; other hosts' changes are found by looking from time to time.
public final class ExecutionSignals: Sendable {
    private struct State {
        var next = 0
        var waiters: [UUIDv7: [Int: AsyncStream<Void>.Continuation]] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    public func changed(_ execution: UUIDv7) {
        let waiters = state.withLock { $0.waiters[execution].map { Array($0.values) } ?? [] }
        for waiter in waiters { waiter.yield() }
    }

    /// Signals of one execution from now on. One that waits stands for all; ends when its reader goes.
    public func changes(of execution: UUIDv7) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state in
            state.next += 1
            state.waiters[execution, default: [:]][state.next] = continuation
            return state.next
        }
        continuation.onTermination = { [weak self] _ in self?.forget(number, of: execution) }
        return stream
    }

    /// How many wait, for tests and metrics.
    public var waiting: Int { state.withLock { $0.waiters.values.reduce(0) { $0 + $1.count } } }

    private func forget(_ number: Int, of execution: UUIDv7) {
        state.withLock { state in
            state.waiters[execution]?[number] = nil
            if state.waiters[execution]?.isEmpty == true { state.waiters[execution] = nil }
        }
    }
}
