import Domain
import Synchronization

/// One request of which only the status matters. Its answer's body is read to keep the connection, up to a bound, and
/// thrown away.
final class WebhookPost: Sendable {
    private static let maximumBodyBytes = 64 << 10

    private struct State {
        var waiter: CheckedContinuation<Result<Int, ProviderError>, Never>?
        var transfer: (any HTTPTransfer)?
        var status: Int?
        var bodyBytes = 0
        var result: Result<Int, ProviderError>?
    }

    private let state = Mutex(State())

    /// To be called once. Cancelling the task ends the transfer.
    func send(_ request: OutboundRequest, over transport: any HTTPTransport) async -> Result<Int, ProviderError> {
        await withTaskCancellationHandler {
            begin(transport.start(request) { self.receive($0) })
            return await withCheckedContinuation { continuation in
                let result = state.withLock { state in
                    if state.result == nil { state.waiter = continuation }
                    return state.result
                }
                if let result { continuation.resume(returning: result) }
            }
        } onCancel: {
            end(.failure(ProviderError(.cancelled, "the delivery was interrupted", isRetryable: true)), cancels: true)
        }
    }

    private func begin(_ transfer: any HTTPTransfer) {
        let isOver = state.withLock { state in
            if state.result == nil { state.transfer = transfer }
            return state.result != nil
        }
        // Does nothing where the transfer has ended by itself.
        if isOver { transfer.cancel() }
    }

    private func receive(_ event: HTTPEvent) {
        switch event {
        case .head(let status, _, _): state.withLock { $0.status = status }
        case .data(let bytes):
            let status = state.withLock { state -> Int? in
                state.bodyBytes += bytes.count
                return state.bodyBytes > Self.maximumBodyBytes ? state.status : nil
            }
            if let status { end(.success(status), cancels: true) }
        case .end: end(nil, cancels: false)
        // The receiver has answered, however its body ends.
        case .failed(let error): end(state.withLock { $0.status } == nil ? .failure(error) : nil, cancels: false)
        case .writable: break
        }
    }

    /// - Parameter result: nil for the status that was received.
    private func end(_ result: Result<Int, ProviderError>?, cancels: Bool) {
        let (waiter, transfer, final) = state.withLock { state in
            let none = Result<Int, ProviderError>.failure(ProviderError(.upstream, "an end without an answer"))
            let final = state.result ?? result ?? state.status.map { .success($0) } ?? none
            state.result = final
            defer { (state.waiter, state.transfer) = (nil, nil) }
            return (state.waiter, state.transfer, final)
        }
        if cancels { transfer?.cancel() }
        waiter?.resume(returning: final)
    }
}
