import NIOCore
import NIOPosix
import Testing

/// A client on a real socket that reads an answer while it is being written, and hangs up when its body returns.
struct StreamClient {
    typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// Nothing more comes.
    struct End: Error {}

    private var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private var received = ""

    static func get(
        _ path: String, port: Int, headers: [String] = [], _ body: (inout StreamClient) async throws -> Void
    ) async throws {
        let connection: Connection = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
            }
        try await connection.executeThenClose { inbound, outbound in
            let head = ["GET \(path) HTTP/1.1", "Host: localhost"] + headers
            try await outbound.write(ByteBuffer(string: head.joined(separator: "\r\n") + "\r\n\r\n"))
            var client = StreamClient(iterator: inbound.makeAsyncIterator())
            try await body(&client)
        }
    }

    private init(iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator) { self.iterator = iterator }

    /// The answer's head, status line first.
    mutating func head() async throws -> [String] {
        try await text(upTo: "\r\n\r\n").split(separator: "\r\n").map { String($0) }
    }

    /// The next server-sent event, its lines joined by a vertical bar.
    mutating func event() async throws -> String {
        while !body.contains("\n\n") { try await readChunk() }
        let end = try #require(body.firstRange(of: "\n\n"))
        defer { body.removeSubrange(..<end.upperBound) }
        return String(body[..<end.lowerBound]).replacing("\n", with: "|")
    }

    /// What comes until the server closes the connection.
    mutating func rest() async throws -> String {
        while let buffer = try await iterator.next() { received += String(buffer: buffer) }
        return received
    }

    /// Whether the answer has ended as it should.
    mutating func isOver() async throws -> Bool {
        guard body.isEmpty else { return false }
        try await readChunk()
        return body.isEmpty
    }

    private var body = ""

    private mutating func readChunk() async throws {
        let size = try #require(Int(try await text(upTo: "\r\n"), radix: 16))
        while received.utf8.count < size + 2 { try await read() }
        body += String(decoding: received.utf8.prefix(size), as: UTF8.self)
        received = String(decoding: received.utf8.dropFirst(size + 2), as: UTF8.self)
    }

    private mutating func text(upTo mark: String) async throws -> String {
        while true {
            let bytes = Array(received.utf8)
            if let end = bytes.firstRange(of: Array(mark.utf8)) {
                received = String(decoding: bytes[end.upperBound...], as: UTF8.self)
                return String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
            }
            try await read()
        }
    }

    private mutating func read() async throws {
        guard let buffer = try await iterator.next() else { throw End() }
        received += String(buffer: buffer)
    }
}
