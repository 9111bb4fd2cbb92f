import Domain
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOPosix
import Testing

@testable import API

/// Bytes that no client library would send, on a real socket.
@Suite(.timeLimit(.minutes(1))) struct RawRequestTests {
    private static let host = "Host: localhost\r\n"

    /// Requests that are not HTTP, or not within the limits of a head.
    private static let heads: [(name: String, bytes: [UInt8])] = [
        ("nothing of HTTP", "\u{0}\u{1}\u{2}\r\n\r\n"), ("TLS", "\u{16}\u{3}\u{1}\u{2}\u{0}\r\n\r\n"),
        ("no path", "GET HTTP/1.1\r\n\(host)\r\n"), ("no version", "GET /\r\n\r\n"),
        ("HTTP/3", "GET / HTTP/3.0\r\n\(host)\r\n"),
        ("NUL in the path", "GET /health\u{0} HTTP/1.1\r\n\(host)\r\n"),
        ("a space in the path", "GET /he alth HTTP/1.1\r\n\(host)\r\n"),
        ("NUL in a header", "GET /health HTTP/1.1\r\n\(host)X-API-Key: a\u{0}b\r\n\r\n"),
        ("a control character in a header's name", "GET /health HTTP/1.1\r\n\(host)X\u{1}Y: a\r\n\r\n"),
        ("a space before a header's colon", "GET /health HTTP/1.1\r\n\(host)X-API-Key : a\r\n\r\n"),
        ("a header without a colon", "GET /health HTTP/1.1\r\n\(host)nothing\r\n\r\n"),
        ("a bare line feed in a header", "GET /health HTTP/1.1\r\n\(host)X-A: a\r X-B: b\r\n\r\n"),
        ("two lengths", "POST /v1/auth/register HTTP/1.1\r\n\(host)Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        (
            "a length and chunks",
            "POST /v1/auth/register HTTP/1.1\r\n\(host)Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        ("a negative length", "POST /v1/auth/register HTTP/1.1\r\n\(host)Content-Length: -1\r\n\r\n"),
        (
            "a length beyond numbers",
            "POST /v1/auth/register HTTP/1.1\r\n\(host)Content-Length: 99999999999999999999\r\n\r\n"
        ),
        ("an unknown transfer encoding", "POST /v1/auth/register HTTP/1.1\r\n\(host)Transfer-Encoding: gzip\r\n\r\n{}"),
        ("101 fields", "GET /health HTTP/1.1\r\n\(host)" + (0..<100).map { "X-\($0): a\r\n" }.joined() + "\r\n"),
        ("a field of 16 KiB", "GET /health HTTP/1.1\r\n\(host)X-A: \(String(repeating: "a", count: 16_400))\r\n\r\n"),
        ("a path of 40 KiB", "GET /\(String(repeating: "a", count: 40_000)) HTTP/1.1\r\n\(host)\r\n"),
    ].map { ($0.0, Array($0.1.utf8)) }

    @Test func `what is no HTTP within the limits is a bare 400 and the end of the connection`() async throws {
        let fixture = Fixture()
        try await fixture.test(.live) { client in
            let port = try #require(client.port)
            for (name, bytes) in Self.heads {
                let answer = try await Self.exchange(bytes, port: port)
                // Whoever speaks no HTTP at all may be left without an answer.
                #expect(answer.hasPrefix("HTTP/1.1 4") || answer.isEmpty, "\(name): \(answer.prefix(200))")
                #expect(!answer.contains("HTTP/1.1 2") && !answer.contains("HTTP/1.1 5"), "\(name)")
            }
            #expect(try await client.get("/health").status == .ok)
        }
        fixture.expectNothingDone()
    }

    @Test func `bytes that are no UTF-8 are no key, path or header of ours`() async throws {
        let fixture = Fixture()
        let key = Array("X-API-Key: \(fixture.callerKey)\r\n".utf8)
        let close = Array("Host: localhost\r\nConnection: close\r\n".utf8)
        let json = Array("Content-Type: application/json\r\nContent-Length: 20\r\n".utf8)
        @Sendable func request(_ line: [UInt8], _ fields: [UInt8], body: String = "") -> [UInt8] {
            line + Array(" HTTP/1.1\r\n".utf8) + close + fields + Array("\r\n\(body)".utf8)
        }
        let bad: [UInt8] = [0xFF, 0xC0, 0x80]
        let execute = Array("POST /v1/templates/saas/execute".utf8)
        try await fixture.test(.live) { client in
            let port = try #require(client.port)
            for (bytes, status) in [
                (request(Array("GET /v1/executions/".utf8) + bad, key), "40"),
                (request(Array("GET /v1/templates?limit=".utf8) + bad, key), "400"),
                (request(Array("GET /v1/templates".utf8), Array("X-API-Key: ".utf8) + bad + [0x0D, 0x0A]), "401"),
                (
                    request(
                        execute, key + json + Array("Idempotency-Key: ".utf8) + bad + [0x0D, 0x0A],
                        body: #"{"configuration":{}}"#), "400"
                ),
                (request(execute, key + Array("Content-Type: ".utf8) + bad + [0x0D, 0x0A]), "4"),
                // A body shorter than it says: the connection's end is its end.
                (request(execute, key + json, body: "{"), ""),
            ] {
                let answer = try await Self.exchange(bytes, port: port)
                let isRefusal =
                    answer.hasPrefix("HTTP/1.1 \(status)") || answer.hasPrefix("HTTP/1.1 400") || answer.isEmpty
                #expect(isRefusal && !answer.hasPrefix("HTTP/1.1 2"), "\(answer.prefix(100))")
            }
            #expect(try await client.get("/health").status == .ok)
        }
        fixture.expectNothingDone()
    }

    /// Sends bytes, says that no more will come, and reads to the end.
    private static func exchange(_ bytes: [UInt8], port: Int) async throws -> String {
        let connection: NIOAsyncChannel<ByteBuffer, ByteBuffer> = try await ClientBootstrap(
            group: .singletonMultiThreadedEventLoopGroup
        ).channelOption(.allowRemoteHalfClosure, value: true).connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel(
                    wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
            }
        }
        return try await connection.executeThenClose { inbound, outbound in
            // The server may hang up while it is still being spoken to.
            try? await outbound.write(ByteBuffer(bytes: bytes))
            outbound.finish()
            var answer = ""
            do { for try await buffer in inbound { answer += String(buffer: buffer) } } catch {}
            return answer
        }
    }
}
