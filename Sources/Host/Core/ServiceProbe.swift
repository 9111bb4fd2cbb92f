public import Domain
import Synchronization

/// Looks at services by HTTP through the host's transport, and at databases as it is told.
public struct ServiceProbe: HealthProbe {

    private let transport: any HTTPTransport
    private let egress: EgressPolicy
    private let instant: @Sendable () -> Duration
    private let databaseProbe: @Sendable (String, Duration) async -> ProbeResult

    /// - Parameters:
    ///   - egress: which addresses may be looked at: applications are where their providers put them.
    ///   - instant: time since any fixed moment; it does not jump.
    ///   - database: connects to a URL and runs a query.
    public init(
        transport: any HTTPTransport, egress: EgressPolicy, instant: @escaping @Sendable () -> Duration,
        database: @escaping @Sendable (String, Duration) async -> ProbeResult
    ) {
        self.transport = transport
        self.egress = egress
        self.instant = instant
        databaseProbe = database
    }

    public func database(_ url: String, timeout: Duration) async -> ProbeResult {
        await databaseProbe(url, timeout)
    }

    public func http(_ url: String, expectedStatus: Int?, timeout: Duration) async -> ProbeResult {
        let start = instant()
        let answer = await status(of: url, timeout: timeout)
        let latency = instant() - start
        switch answer {
        case .success(let status):
            let isHealthy = expectedStatus.map { $0 == status } ?? (200..<300).contains(status)
            let wanted = expectedStatus.map { "\($0)" } ?? "200 to 299"
            return ProbeResult(
                isHealthy: isHealthy, latency: latency, status: status,
                reason: isHealthy ? nil : "status \(status) where \(wanted) is expected")
        case .failure(let error):
            return ProbeResult(
                isHealthy: false, latency: latency, reason: Self.reason(error),
                isRefused: error.code == .denied || error.code == .invalid)
        }
    }

    /// The transport's own text may name addresses that a client has no business with.
    private static func reason(_ error: ProviderError) -> String {
        switch error.code {
        case .timeout: "no answer in time"
        case .denied:
            "this host does not look at addresses that are not public; its operator can allow that "
                + "(deployments.private_addresses)"
        case .invalid: "the URL is not one"
        case .cancelled: "the look was interrupted"
        case .upstream, .limit, .internal: "no connection, or no HTTP"
        }
    }

    private func status(of url: String, timeout: Duration) async -> Result<Int, ProviderError> {
        let request = OutboundRequest(
            method: "GET", url: url, headers: [OutboundRequest.Header("User-Agent", "aibackend-health")],
            timeout: max(timeout, .milliseconds(1)), egress: egress)
        let look = Look()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                look.wait(continuation)
                look.began(transport.start(request) { look.receive($0) })
            }
        } onCancel: {
            look.cancel()
        }
    }
}

/// One look: answers its waiter once, with the status as soon as there is one.
private final class Look: Sendable {
    private struct State {
        var waiter: CheckedContinuation<Result<Int, ProviderError>, Never>?
        var transfer: (any HTTPTransfer)?
        var isOver = false
    }

    private let state = Mutex(State())

    func wait(_ continuation: CheckedContinuation<Result<Int, ProviderError>, Never>) {
        let isOver = state.withLock { state in
            if !state.isOver { state.waiter = continuation }
            return state.isOver
        }
        if isOver { continuation.resume(returning: .failure(ProviderError(.cancelled, "cancelled"))) }
    }

    func began(_ transfer: any HTTPTransfer) {
        let isOver = state.withLock { state in
            if !state.isOver { state.transfer = transfer }
            return state.isOver
        }
        if isOver { transfer.cancel() }
    }

    func receive(_ event: HTTPEvent) {
        switch event {
        case .head(let status, _, _): end(.success(status))
        case .failed(let error): end(.failure(error))
        case .data, .end, .writable: break
        }
    }

    func cancel() { end(.failure(ProviderError(.cancelled, "cancelled"))) }

    /// The body says nothing more: the connection is let go.
    private func end(_ result: Result<Int, ProviderError>) {
        let (waiter, transfer) = state.withLock { state in
            defer {
                state.isOver = true
                state.waiter = nil
                state.transfer = nil
            }
            return (state.waiter, state.transfer)
        }
        waiter?.resume(returning: result)
        transfer?.cancel()
    }
}
