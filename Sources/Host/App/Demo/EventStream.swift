import Domain

/// Server-sent events of one of the API's streams, in order.
struct EventStream: AsyncSequence, Sendable {
    struct Event: Sendable {
        var id: String?
        var name = "message"
        var data = ""
    }

    typealias Element = Event

    let client: APIClient
    let path: String

    func makeAsyncIterator() -> Iterator {
        Iterator(client.pieces(of: path))
    }

    struct Iterator: AsyncIteratorProtocol {
        private var pieces: AsyncThrowingStream<[UInt8], any Error>.Iterator
        private var rest: [UInt8] = []

        init(_ pieces: AsyncThrowingStream<[UInt8], any Error>) { self.pieces = pieces.makeAsyncIterator() }

        mutating func next() async throws -> Event? {
            while true {
                while let end = rest.firstRange(of: [0x0A, 0x0A]) {
                    let block = String(decoding: rest[..<end.lowerBound], as: UTF8.self)
                    rest.removeSubrange(..<end.upperBound)
                    if let event = Self.event(block) { return event }
                }
                guard let piece = try await pieces.next() else { return nil }
                rest += piece
            }
        }

        /// nil where the block is a comment: a heartbeat.
        private static func event(_ block: String) -> Event? {
            var event = Event()
            var lines: [Substring] = []
            for line in block.split(separator: "\n") {
                if line.hasPrefix("id: ") { event.id = String(line.dropFirst(4)) }
                if line.hasPrefix("event: ") { event.name = String(line.dropFirst(7)) }
                if line.hasPrefix("data: ") { lines.append(line.dropFirst(6)) }
            }
            event.data = lines.joined(separator: "\n")
            return lines.isEmpty ? nil : event
        }
    }
}

extension APIClient {
    /// The body of an answer as it comes; ends when the server ends it, or when its reader goes.
    func pieces(of path: String) -> AsyncThrowingStream<[UInt8], any Error> {
        var headers = [OutboundRequest.Header("accept", "text/event-stream")]
        if let key { headers.append(OutboundRequest.Header("x-api-key", key)) }
        let request = OutboundRequest(
            method: "GET", url: base + path, headers: headers, timeout: .seconds(3_600),
            egress: EgressPolicy(origins: [base]))
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: [UInt8].self)
        let transfer = transport.start(request) { event in
            switch event {
            case .head(let status, _, _):
                if status != 200 { continuation.finish(throwing: StartFailure("GET \(path) answered \(status)")) }
            case .data(let piece): continuation.yield(piece)
            case .end: continuation.finish()
            case .failed(let error): continuation.finish(throwing: StartFailure("GET \(path): \(error.message)"))
            case .writable: break
            }
        }
        continuation.onTermination = { _ in transfer.cancel() }
        return stream
    }
}
