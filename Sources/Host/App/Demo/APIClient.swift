import Domain
import Outbound

/// A client of the REST API, as any program would be: it knows an address and a key.
struct APIClient: Sendable {
    let transport: any HTTPTransport
    let base: String
    var key: String?

    struct Answer: Sendable {
        let status: Int
        let body: JSON
    }

    func get(_ path: String) async throws -> Answer { try await answer("GET", path, nil) }
    func post(_ path: String, _ body: JSON) async throws -> Answer { try await answer("POST", path, body) }
    func delete(_ path: String) async throws -> Int { try await send("DELETE", path, nil).status }
    /// The body as it is, for what is not JSON.
    func text(_ path: String) async throws -> String {
        String(decoding: try await send("GET", path, nil).bytes, as: UTF8.self)
    }

    private func answer(_ method: String, _ path: String, _ body: JSON?) async throws -> Answer {
        let (status, bytes) = try await send(method, path, body)
        return Answer(status: status, body: try JSON.parse(bytes))
    }

    private func send(_ method: String, _ path: String, _ body: JSON?) async throws -> (status: Int, bytes: [UInt8]) {
        var headers = [OutboundRequest.Header("accept", "*/*")]
        if body != nil { headers.append(OutboundRequest.Header("content-type", "application/json")) }
        if let key { headers.append(OutboundRequest.Header("x-api-key", key)) }
        let request = OutboundRequest(
            method: method, url: base + path, headers: headers, body: body.map { .bytes($0.bytes) } ?? .none,
            timeout: .seconds(30), egress: EgressPolicy(origins: [base]))
        let (events, continuation) = AsyncStream.makeStream(of: HTTPEvent.self)
        let transfer = transport.start(request) { continuation.yield($0) }
        var (status, bytes) = (0, [UInt8]())
        for await event in events {
            switch event {
            case .head(let code, _, _): status = code
            case .data(let piece): bytes += piece
            case .writable: break
            case .failed(let error): throw StartFailure("\(method) \(path): \(error.message)")
            case .end: return (status, bytes)
            }
        }
        transfer.cancel()
        throw CancellationError()
    }
}
