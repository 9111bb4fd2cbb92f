import Domain
import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing

@testable import API

@Suite struct ExecutionTests {
    private static let id = UUIDv7(at: Timestamp(microseconds: 1_795_420_800_000_000))
    private static let path = "/v1/executions/\(id)"
    private static let text = #"{"id":"x","template_id":"saas","status":"running","progress_percentage":40}"#
    private static let lines = #"[{"sequence":3,"timestamp":"t","level":"info","step":null,"message":"hello"}]"#

    private func fixture() -> Fixture {
        let fixture = Fixture()
        let execution = FakeReader.Execution(
            user: fixture.caller.userID, text: Self.text,
            logs: LogPage(lines: Self.lines, lastSequence: 3, hasMore: true))
        fixture.reader.state.withLock { $0.executions[Self.id] = execution }
        return fixture
    }

    @Test func answersTheExecutionAsItIsStored() async throws {
        let fixture = fixture()
        try await fixture.test { client in
            let response = try await client.get(Self.path, fixture.key)
            #expect(response.status == .ok)
            #expect(response.text == Self.text)
            #expect(response.headers[.contentType] == "application/json")
            #expect(response.headers[.cacheControl] == "no-store")
            #expect(response.headers[.contentLength] == String(Self.text.utf8.count))
            #expect(response.headers[.requestID]?.isEmpty == false)
        }
    }

    @Test func headHasTheHeadersAndNoBody() async throws {
        let fixture = fixture()
        try await fixture.test(.live) { client in
            let response = try await client.execute(uri: Self.path, method: .head, headers: fixture.key)
            #expect(response.status == .ok)
            #expect(response.headers[.contentLength] == String(Self.text.utf8.count))
            #expect(response.body.readableBytes == 0)
            // The connection is still in step after answers without a body, to known and unknown paths.
            #expect(try await client.execute(uri: "/nowhere", method: .head).status == .notFound)
            #expect(try await client.get(Self.path, fixture.key).text == Self.text)
        }
    }

    @Test(arguments: ["", "/logs"])
    func anotherUsersExecutionIsAbsent(suffix: String) async throws {
        let fixture = fixture()
        let other = APICredentials.generate().key
        let principal = Principal(
            userID: UUIDv7(at: fixture.clock.now()), keyID: UUIDv7(at: fixture.clock.now()), tier: "starter",
            isAdmin: false)
        fixture.accounts.state.withLock { $0.principals[fixture.keys.hash(other)] = principal }
        try await fixture.test { client in
            _ = try await client.get(Self.path + suffix, [.apiKey: other]).problem(.executionNotFound)
        }
    }

    @Test(arguments: [
        "7", "not-a-uuid", "00000000-0000-0000-0000-00000000000g", "%00",
        UUIDv7(at: Timestamp(microseconds: 0)).description,
    ])
    func whatIsNoExecutionIs404(id: String) async throws {
        let fixture = fixture()
        try await fixture.test { client in
            _ = try await client.get("/v1/executions/\(id)", fixture.key).problem(.executionNotFound)
            _ = try await client.get("/v1/executions/\(id)/logs", fixture.key).problem(.executionNotFound)
        }
    }

    @Test func answersAPageOfLogs() async throws {
        let fixture = fixture()
        try await fixture.test { client in
            let first = try await client.get(Self.path + "/logs", fixture.key)
            #expect(first.text == "{\"logs\":\(Self.lines),\"next_after\":3,\"has_more\":true}")
            _ = try await client.get(Self.path + "/logs?after=3&limit=1000&stream=false", fixture.key)
        }
        let requests = fixture.reader.state.withLock { $0.logRequests }
        #expect(requests == [.init(after: 0, limit: 200), .init(after: 3, limit: 1_000)])
    }

    @Test(arguments: [
        ("after=-1", "after out_of_range"), ("after=x", "after out_of_range"), ("limit=0", "limit out_of_range"),
        ("limit=1001", "limit out_of_range"), ("stream=yes", "stream not_allowed"),
        ("tail=1", "tail unknown_parameter"),
    ])
    func refusesBadParameters(query: String, fault: String) async throws {
        let fixture = fixture()
        try await fixture.test { client in
            let problem = try await client.get("\(Self.path)/logs?\(query)", fixture.key).problem(.invalidParameter)
            #expect(problem.faults == [fault])
        }
    }

    @Test func takesNoParameters() async throws {
        let fixture = fixture()
        try await fixture.test { client in
            let problem = try await client.get(Self.path + "?verbose=1", fixture.key).problem(.invalidParameter)
            #expect(problem.faults == ["verbose unknown_parameter"])
        }
    }

    @Test func `answers what a run made in the outside world`() async throws {
        let fixture = fixture()
        fixture.reader.state.withLock { $0.executions[Self.id]?.resources = #"{"resources":[]}"# }
        try await fixture.test { client in
            let response = try await client.get(Self.path + "/resources", fixture.key)
            #expect(response.text == #"{"resources":[]}"#)
            #expect(response.headers[.cacheControl] == "no-store")
            _ = try await client.get(Self.path + "/resources", fixture.otherKey()).problem(.executionNotFound)
            _ = try await client.get("/v1/executions/7/resources", fixture.key).problem(.executionNotFound)
            _ = try await client.get(Self.path + "/resources").problem(.missingAPIKey)
            let problem = try await client.get(Self.path + "/resources?a=1", fixture.key).problem(.invalidParameter)
            #expect(problem.faults == ["a unknown_parameter"])
        }
    }
}
