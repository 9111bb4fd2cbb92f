internal import Synchronization

/// A value that arrives once, and the tasks that wait for it. The first resolution counts.
final class Slot<Value: Sendable>: Sendable {
    private enum State {
        case pending(waiters: [UInt64: CheckedContinuation<Value, any Error>], nextTicket: UInt64)
        case resolved(Result<Value, PluginError>)
    }

    private let state = Mutex(State.pending(waiters: [:], nextTicket: 0))

    func resolve(_ result: Result<Value, PluginError>) {
        let waiters: [CheckedContinuation<Value, any Error>] = state.withLock { state in
            guard case .pending(let waiters, _) = state else { return [] }
            state = .resolved(result)
            return Array(waiters.values)
        }
        for waiter in waiters { waiter.resume(with: result.mapError { $0 as any Error }) }
    }

    /// Whether the value has arrived.
    var isFulfilled: Bool {
        state.withLock { state in
            if case .resolved(.success) = state { true } else { false }
        }
    }

    /// The value, as soon as there is one. Cancelling the task ends this wait and no other.
    func wait() async throws -> Value {
        let ticket: UInt64 = state.withLock { state in
            guard case .pending(let waiters, let ticket) = state else { return 0 }
            state = .pending(waiters: waiters, nextTicket: ticket + 1)
            return ticket
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let ready: Result<Value, PluginError>? = state.withLock { state in
                    switch state {
                    case .resolved(let result): return result
                    // The handler below has run already, and found nobody waiting.
                    case .pending where Task.isCancelled: return .failure(.cancelled)
                    case .pending(var waiters, let next):
                        waiters[ticket] = continuation
                        state = .pending(waiters: waiters, nextTicket: next)
                        return nil
                    }
                }
                if let ready { continuation.resume(with: ready.mapError { $0 as any Error }) }
            }
        } onCancel: {
            let waiter: CheckedContinuation<Value, any Error>? = state.withLock { state in
                guard case .pending(var waiters, let next) = state else { return nil }
                let waiter = waiters.removeValue(forKey: ticket)
                state = .pending(waiters: waiters, nextTicket: next)
                return waiter
            }
            waiter?.resume(throwing: PluginError.cancelled)
        }
    }
}

/// A window of the host that can be full. A sender looks at `turn` first, then tries; when the host says AGAIN it
/// waits for the turn it looked at, so a WRITABLE that came in between is not missed.
final class Gate: Sendable {
    private let current = Mutex(Slot<Void>())

    var turn: Slot<Void> { current.withLock { $0 } }

    func open() { replace(with: Slot()).resolve(.success(())) }

    /// Ends all waiting, now and later.
    func close() {
        let closed = Slot<Void>()
        closed.resolve(.failure(.cancelled))
        replace(with: closed).resolve(.failure(.cancelled))
    }

    private func replace(with slot: Slot<Void>) -> Slot<Void> {
        current.withLock { current in
            let old = current
            current = slot
            return old
        }
    }
}

/// The handle of a timer, given to whoever comes first: the one who cancels it.
final class HandleBox: Sendable {
    private let state = Mutex<UInt64>(0)
    func set(_ handle: UInt64) { state.withLock { $0 = handle } }
    func take() -> UInt64? {
        state.withLock { handle in
            defer { handle = 0 }
            return handle == 0 ? nil : handle
        }
    }
}
