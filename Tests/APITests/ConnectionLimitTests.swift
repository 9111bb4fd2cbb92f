import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Synchronization
import Testing

@testable import API

@Suite(.timeLimit(.minutes(1))) struct ConnectionLimitTests {
    @Test func `a connection too many is told so, and the next finds room again`() async throws {
        var fixture = Fixture()
        // The test's own client is the second.
        fixture.maximumConnections = 2
        try await fixture.test(.live) { [fixture] client in
            let port = try #require(client.port)
            #expect(try await client.get("/health").status == .ok)
            try await StreamClient.get("/health", port: port) { first in
                #expect(try await first.head().first == "HTTP/1.1 200 OK")
                try await StreamClient.get("/v1/templates?limit=1", port: port) { second in
                    let head = try await second.head().map { $0.lowercased() }
                    #expect(head.first == "http/1.1 503 service unavailable")
                    for field in ["retry-after: 1", "connection: close", "content-type: application/problem+json"] {
                        #expect(head.contains(field))
                    }
                    #expect(head.contains { $0.hasPrefix("x-request-id: ") })
                    let rest = try await second.rest()
                    #expect(rest.contains(#""code":"overloaded""#) && rest.contains(#""instance":"/v1/templates""#))
                }
                #expect(try await client.get("/v1/templates", fixture.key).status == .ok)
            }
            var status = ""
            while status != "HTTP/1.1 200 OK" {
                try await StreamClient.get("/health", port: port) { status = try await $0.head().first ?? "" }
            }
        }
    }

    @Test func `a connection too many that says nothing is closed`() throws {
        let registry = PrometheusRegistry()
        let count = ConnectionCount(limit: 0, registry: registry)
        let channel = EmbeddedChannel(handler: ConnectionLimit(count))
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        #expect(count.current == 1)
        channel.embeddedEventLoop.advanceTime(by: .seconds(5))
        #expect(!channel.isActive && count.current == 0)
        #expect(registry.exposition().contains("\nhttp_connections_refused_total 1\n"))
    }

    // MARK: Requests that do not arrive

    private static func channel() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handler: RequestDeadline())
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    private static func post(_ channel: EmbeddedChannel) throws {
        let head = HTTPRequest(method: .post, scheme: "http", authority: "x", path: "/v1/auth/register?x=1")
        try channel.writeInbound(HTTPRequestPart.head(head))
    }

    @Test func `a body that trickles in is not waited for longer than a minute`() throws {
        let channel = try Self.channel()
        try Self.post(channel)
        for _ in 0..<59 {
            channel.embeddedEventLoop.advanceTime(by: .seconds(1))
            try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(string: " ")))
        }
        #expect(channel.isActive)
        #expect(try channel.readOutbound(as: HTTPResponsePart.self) == nil)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
        guard case .head(let head) = try channel.readOutbound(as: HTTPResponsePart.self),
            case .body(let body) = try channel.readOutbound(as: HTTPResponsePart.self)
        else { throw NoAnswer() }
        #expect(head.status == .requestTimeout && head.headerFields[.connection] == "close")
        #expect(String(buffer: body).contains(#""code":"request_timeout""#))
        #expect(String(buffer: body).contains(#""instance":"/v1/auth/register""#))
    }

    private struct NoAnswer: Error {}

    @Test func `a request that has arrived may take its time`() throws {
        let channel = try Self.channel()
        try Self.post(channel)
        try channel.writeInbound(HTTPRequestPart.end(nil))
        channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(channel.isActive)
        // Its successor has a minute of its own.
        try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
        try channel.writeOutbound(HTTPResponsePart.end(nil))
        try Self.post(channel)
        channel.embeddedEventLoop.advanceTime(by: .seconds(59))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }

    @Test func `a body that goes on behind its answer ends with the connection, not with a second answer`() throws {
        let channel = try Self.channel()
        try Self.post(channel)
        try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .unauthorized)))
        try channel.writeOutbound(HTTPResponsePart.end(nil))
        channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        #expect(!channel.isActive)
        var heads = 0
        while let part = try channel.readOutbound(as: HTTPResponsePart.self) { if case .head = part { heads += 1 } }
        #expect(heads == 1)
    }

    // MARK: Answers that are not taken

    @Test func `answers that nobody takes are bounded, whoever they are for`() async throws {
        var fixture = Fixture()
        fixture.maximumUnreadBytes = 1 << 20
        let id = UUIDv7(at: fixture.clock.now())
        // More than the sockets' buffers hold between them.
        let text = JSON.string(String(repeating: "x", count: 16 << 20)).text
        fixture.reader.state.withLock {
            $0.executions[id] = .init(
                user: fixture.caller.userID, text: text, logs: LogPage(lines: "[]", lastSequence: 0, hasMore: false))
        }
        let server = fixture.server
        try await fixture.test(.live, server) { [fixture] client in
            let port = try #require(client.port)
            let headers = ["X-API-Key: \(fixture.callerKey)"]
            try await StreamClient.get("/v1/executions/\(id)", port: port, headers: headers) { slow in
                #expect(try await slow.head().first == "HTTP/1.1 200 OK")
                #expect(server.unread.isFull)
                let refused = try await client.get("/v1/templates", fixture.otherKey())
                _ = try refused.problem(.overloaded)
                #expect(refused.headers[.retryAfter] == "1")
                #expect(try await client.get("/health").status == .ok)
            }
            // The slow one has gone, and what waited for it with it.
            while server.unread.isFull { await Task.yield() }
            #expect(try await client.get("/v1/templates", fixture.key).status == .ok)
        }
        #expect(server.unread.current == 0)
    }
}
