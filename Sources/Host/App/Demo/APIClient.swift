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
    func delete(_ path: String) async throws -> Int { try await send("DELETE", path).status }
    /// The body as it is, for what is not JSON.
    func text(_ path: String) async throws -> String {
        String(decoding: try await send("GET", path).bytes, as: UTF8.self)
    }

    private func answer(_ method: String, _ path: String, _ body: JSON?) async throws -> Answer {
        let headers = body == nil ? [] : [OutboundRequest.Header("content-type", "application/json")]
        let answer = try await send(method, path, headers: headers, body: body?.bytes)
        return Answer(status: answer.status, body: try JSON.parse(answer.bytes))
    }

    struct RawAnswer: Sendable {
        var status = 0
        var headers: [OutboundRequest.Header] = []
        var bytes: [UInt8] = []

        /// - Parameter name: in lower case.
        func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }
    }

    /// One request as it is given; redirects are not followed.
    func send(
        _ method: String, _ path: String, headers: [OutboundRequest.Header] = [], body: [UInt8]? = nil
    ) async throws -> RawAnswer {
        var headers = headers + [OutboundRequest.Header("accept", "*/*")]
        if let key { headers.append(OutboundRequest.Header("x-api-key", key)) }
        let request = OutboundRequest(
            method: method, url: base + path, headers: headers, body: body.map { .bytes($0) } ?? .none,
            timeout: .seconds(30), egress: EgressPolicy(origins: [base]))
        let (events, continuation) = AsyncStream.makeStream(of: HTTPEvent.self)
        let transfer = transport.start(request) { continuation.yield($0) }
        var answer = RawAnswer()
        for await event in events {
            switch event {
            case .head(let status, let headers, _):
                answer.status = status
                answer.headers = headers
            case .data(let piece): answer.bytes += piece
            case .writable: break
            case .failed(let error): throw StartFailure("\(method) \(path): \(error.message)")
            case .end: return answer
            }
        }
        transfer.cancel()
        throw CancellationError()
    }
}
