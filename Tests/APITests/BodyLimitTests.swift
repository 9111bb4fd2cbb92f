import Domain
import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing

@testable import API

@Suite struct BodyLimitTests {
    @Test(arguments: [("/v1/auth/register", 16_384), ("/v1/templates/saas/execute", 1_048_576)])
    func aBodyOverTheLimitIs413AndTheConnectionLivesOn(path: String, limit: Int) async throws {
        let fixture = Fixture()
        try await fixture.test(.live) { client in
            let huge = ByteBuffer(repeating: UInt8(ascii: " "), count: 10 * 1_024 * 1_024)
            let response = try await client.execute(uri: path, method: .post, headers: fixture.jsonKey, body: huge)
            let problem = try response.problem(.bodyTooLarge)
            #expect(problem["detail"] == .string("The body may have \(limit) bytes at most."))
            #expect(try await client.get("/health").status == .ok)
        }
    }

    @Test func aBodyOfExactlyTheLimitIsRead() async throws {
        let fixture = Fixture()
        try await fixture.test(.live) { client in
            let body = #"{"configuration":{"a":""#
            let text = body + String(repeating: "x", count: 1_048_576 - body.utf8.count - 3) + "\"}}"
            let path = "/v1/templates/saas/execute"
            #expect(try await client.post(path, text, fixture.jsonKey).status == .accepted)
            _ = try await client.post(path, text + " ", fixture.jsonKey).problem(.bodyTooLarge)
        }
    }

    @Test func anEndlessBodyIsReadNoFurtherThanTheLimit() async throws {
        let chunks = Chunks()
        let stream = AsyncStream(unfolding: { chunks.next() })
        let request = Request(
            head: HTTPRequest(
                method: .post, scheme: nil, authority: nil, path: "/",
                headerFields: [.contentType: "application/json"]),
            body: RequestBody(asyncSequence: stream))
        await #expect {
            _ = try await JSONBody.read(request, limit: 16 * 1_024)
        } throws: { ($0 as? Problem)?.code == .bodyTooLarge }
        #expect(chunks.given == 17)
    }

    /// A kilobyte each time, for ever.
    private final class Chunks: Sendable {
        private let count = Mutex(0)
        var given: Int { count.withLock { $0 } }

        func next() -> ByteBuffer? {
            count.withLock { $0 += 1 }
            return ByteBuffer(repeating: UInt8(ascii: " "), count: 1_024)
        }
    }

    @Test func aBrokenBodyIsTheClientsFault() async throws {
        struct Reset: Error {}
        let (body, source) = RequestBody.makeStream()
        source.finish(Reset())
        let request = Request(
            head: HTTPRequest(
                method: .post, scheme: nil, authority: nil, path: "/",
                headerFields: [.contentType: "application/json"]),
            body: body)
        await #expect {
            _ = try await JSONBody.read(request, limit: 1_024)
        } throws: { ($0 as? Problem)?.code == .unreadableBody }
    }
}
