import Domain
import Logging
import Outbound

/// A response as it arrived, to its end.
struct Answer: Sendable {
    var status: Int?
    var version: String?
    var headers: [OutboundRequest.Header] = []
    var body: [UInt8] = []
    var largestPiece = 0
    var error: ProviderError?
    var isEnded = false

    var text: String { String(decoding: body, as: UTF8.self) }
    subscript(name: String) -> String? { headers.first { $0.name == name }?.value }

    mutating func add(_ event: HTTPEvent) {
        switch event {
        case .head(let status, let headers, let version):
            (self.status, self.headers, self.version) = (status, headers, version)
        case .data(let bytes):
            body += bytes
            largestPiece = max(largestPiece, bytes.count)
        case .end: isEnded = true
        case .failed(let error): self.error = error
        case .writable: break
        }
    }
}

/// A transfer whose events a test takes one by one.
struct Events: AsyncSequence {
    let transfer: any HTTPTransfer
    private let stream: AsyncStream<HTTPEvent>

    init(_ client: HTTPClient, _ request: OutboundRequest) {
        let (stream, continuation) = AsyncStream.makeStream(of: HTTPEvent.self)
        self.stream = stream
        transfer = client.start(request) { event in
            continuation.yield(event)
            switch event {
            case .end, .failed: continuation.finish()
            default: break
            }
        }
    }

    func makeAsyncIterator() -> AsyncStream<HTTPEvent>.Iterator { stream.makeAsyncIterator() }

    func answer() async -> Answer {
        var answer = Answer()
        for await event in self { answer.add(event) }
        return answer
    }
}

extension HTTPClient {
    func answer(to request: OutboundRequest) async -> Answer { await Events(self, request).answer() }
}

/// Runs a test with a client and shuts that down.
func withClient<Result>(
    _ configuration: HTTPClient.Configuration = .init(proxy: .none), logger: Logger? = nil,
    _ body: (HTTPClient) async throws -> Result
) async throws -> Result {
    let client = HTTPClient(
        configuration: configuration, logger: logger ?? Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    do {
        let result = try await body(client)
        await client.shutdown()
        return result
    } catch {
        await client.shutdown()
        throw error
    }
}

extension OutboundRequest {
    /// A request to an origin that the operator allowed.
    static func to(
        _ origin: String, _ path: String = "/", method: String = "GET", headers: [Header] = [], body: Body = .none,
        timeout: Duration = .seconds(20), secrets: SecretScope = .none
    ) -> OutboundRequest {
        OutboundRequest(
            method: method, url: origin + path, headers: headers, body: body, timeout: timeout,
            egress: EgressPolicy(origins: [origin]), secrets: secrets)
    }
}
