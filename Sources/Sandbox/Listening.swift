import Synchronization

/// Whether the server is bound yet, and those who wait for it.
final class Listening: Sendable {
    private enum State {
        case waiting([Int: CheckedContinuation<SandboxAddress, any Error>])
        case settled(Result<SandboxAddress, any Error>)
    }

    private let host: String
    private let state = Mutex<State>(.waiting([:]))
    private let nextWaiter = Atomic<Int>(0)

    init(host: String) { self.host = host }

    func succeed(port: Int) { settle(.success(SandboxAddress(host: host, port: port))) }

    /// What comes after the end of the server, however it went.
    func fail(_ error: any Error) { settle(.failure(error)) }

    func address() async throws -> SandboxAddress {
        let waiter = nextWaiter.add(1, ordering: .relaxed).newValue
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let known: Result<SandboxAddress, any Error>? = state.withLock { state in
                    switch state {
                    case .settled(let result): return result
                    case .waiting where Task.isCancelled: return .failure(CancellationError())
                    case .waiting(var waiters):
                        waiters[waiter] = continuation
                        state = .waiting(waiters)
                        return nil
                    }
                }
                if let known { continuation.resume(with: known) }
            }
        } onCancel: {
            let continuation = state.withLock { state -> CheckedContinuation<SandboxAddress, any Error>? in
                guard case .waiting(var waiters) = state else { return nil }
                let continuation = waiters.removeValue(forKey: waiter)
                state = .waiting(waiters)
                return continuation
            }
            continuation?.resume(throwing: CancellationError())
        }
    }

    private func settle(_ result: Result<SandboxAddress, any Error>) {
        let waiters = state.withLock { state in
            defer { state = .settled(result) }
            if case .waiting(let waiters) = state { return Array(waiters.values) }
            return []
        }
        for waiter in waiters { waiter.resume(with: result) }
    }
}
