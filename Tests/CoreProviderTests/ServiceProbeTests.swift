import Domain
import Synchronization
import Testing

@testable import CoreProvider

/// Answers every request with the same event, before `begin` returns.
private final class OneEvent: HTTPTransport, HTTPTransfer {
    let event: HTTPEvent
    let cancelled = Mutex(0)
    let requests = Mutex<[OutboundRequest]>([])
    private let onEvent = Mutex<(@Sendable (HTTPEvent) -> Void)?>(nil)

    init(_ event: HTTPEvent) { self.event = event }

    func prepare(_ request: OutboundRequest, onEvent: @escaping @Sendable (HTTPEvent) -> Void) -> any HTTPTransfer {
        requests.withLock { $0.append(request) }
        self.onEvent.withLock { $0 = onEvent }
        return self
    }

    func begin() {
        let onEvent = onEvent.withLock { $0 }
        onEvent?(event)
        onEvent?(.end)
    }

    func pause() {}
    func resume() {}
    func write(_ bytes: [UInt8]) -> Bool { true }
    func finishBody() {}
    func cancel() { cancelled.withLock { $0 += 1 } }
}

@Suite struct ServiceProbeTests {
    private func probe(_ transport: OneEvent) -> ServiceProbe {
        ServiceProbe(transport: transport, egress: EgressPolicy(), instant: { .zero }) { url, _ in
            ProbeResult(isHealthy: url == "postgresql://good", latency: .zero)
        }
    }

    @Test(arguments: [(200, nil, true), (204, nil, true), (503, nil, false), (200, 204, false), (503, 503, true)])
    func `the status decides`(status: Int, expected: Int?, isHealthy: Bool) async {
        let transport = OneEvent(.head(status: status, headers: [], version: "1.1"))
        let result = await probe(transport).http("http://x/health", expectedStatus: expected, timeout: .seconds(1))
        #expect(result.isHealthy == isHealthy && result.status == status)
        #expect((result.reason == nil) == isHealthy)
        #expect(transport.cancelled.withLock { $0 } == 1, "the body is not read")
    }

    @Test func `a failure says why without the transport's words`() async {
        let transport = OneEvent(.failed(ProviderError(.upstream, "connect to 10.0.0.1 port 5 refused")))
        let result = await probe(transport).http("http://x", expectedStatus: 200, timeout: .seconds(1))
        #expect(!result.isHealthy && result.status == nil)
        #expect(result.reason == "no connection, or no HTTP")
    }

    @Test func `an address that the host may not reach is refused, not sick`() async {
        let transport = OneEvent(.failed(ProviderError(.denied, "10.0.0.1 is private")))
        let result = await probe(transport).http("http://x", expectedStatus: 200, timeout: .seconds(1))
        #expect(result.isRefused && result.reason?.contains("deployments.private_addresses") == true)
        #expect(result.reason?.contains("10.0.0.1") == false)
    }

    @Test func `what is no address is refused, not sick`() async {
        let transport = OneEvent(.failed(ProviderError(.invalid, "bad port")))
        let result = await probe(transport).http("http://x:y", expectedStatus: 200, timeout: .seconds(1))
        #expect(result.isRefused && result.reason == "the URL is not one")
    }

    @Test func `databases are looked at as told`() async {
        let probe = probe(OneEvent(.end))
        #expect(await probe.database("postgresql://good", timeout: .seconds(1)).isHealthy)
        #expect(await !probe.database("postgresql://bad", timeout: .seconds(1)).isHealthy)
    }
}
