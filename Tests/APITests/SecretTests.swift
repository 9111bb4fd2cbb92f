import Domain
import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing

@testable import API

@Suite struct SecretTests {
    private static let id = UUIDv7(at: Timestamp(microseconds: 1_795_420_800_000_000))
    private static let path = "/v1/executions/\(id)"
    private static let first = UUIDv7(at: Timestamp(microseconds: 1))
    private static let second = UUIDv7(at: Timestamp(microseconds: 2))

    private func fixture(_ text: String) -> Fixture {
        let fixture = Fixture()
        let execution = FakeReader.Execution(
            user: fixture.caller.userID, text: text, logs: LogPage(lines: "[]", lastSequence: 0, hasMore: false))
        fixture.reader.state.withLock { $0.executions[Self.id] = execution }
        fixture.vault.state.withLock { $0.values[SecretReference(id: Self.first)] = "postgres://u:p\"w@h/d" }
        return fixture
    }

    @Test func `the owner sees the values, and everything else as it was`() async throws {
        let fixture = fixture(
            #"{"cost":1.10,"result":{"url":{"$secret": "\#(Self.first)"},"other":[{"$secret":"\#(Self.second)"}]}}"#)
        try await fixture.test { client in
            let response = try await client.get(Self.path, fixture.key)
            let expected =
                #"{"cost":1.10,"result":{"url":"postgres://u:p\"w@h/d","other":[{"$secret":"\#(Self.second)"}]}}"#
            #expect(response.text == expected)
            #expect(response.headers[.cacheControl] == "no-store")
        }
        #expect(fixture.vault.state.withLock { $0.questions.map(\.count) } == [2])
    }

    @Test(arguments: [
        #"{"price":"$5","a":"$secret","b":"\"$secret","s":"$"}"#, #"{"$secrets":1}"#, "{}", "$", #""$"#,
    ])
    func `a text without a reference is answered as it is stored`(text: String) async throws {
        let fixture = fixture(text)
        try await fixture.test { client in
            let response = try await client.get(Self.path, fixture.key)
            #expect(response.text == text)
        }
        #expect(fixture.vault.state.withLock { $0.questions.isEmpty })
    }

    @Test func `what only looks like a reference is not asked for`() async throws {
        let text = #"{"a":{"$secret":7},"b":{"$secret":"x"}, "c":{"$secret":"\#(Self.first)","d":1}}"#
        let fixture = fixture(text)
        try await fixture.test { client in
            let response = try await client.get(Self.path, fixture.key)
            #expect(response.text == text)
        }
        #expect(fixture.vault.state.withLock { $0.questions.isEmpty })
    }

    @Test func `a vault that is away is 503, and another user asks it nothing`() async throws {
        let fixture = fixture(#"{"url":{"$secret":"\#(Self.first)"}}"#)
        fixture.vault.state.withLock { $0.failure = LedgerError(.unavailable, "away") }
        try await fixture.test { client in
            _ = try await client.get(Self.path, fixture.key).problem(.unavailable)
            _ = try await client.get(Self.path, fixture.otherKey()).problem(.executionNotFound)
        }
        #expect(fixture.vault.state.withLock { $0.questions.count } == 1)
    }

    @Test func `a run with a webhook is answered with what signs it`() async throws {
        var fixture = Fixture()
        fixture.webhookSecret = { id in "whsec_\(id)" }
        try await fixture.test { [fixture] client in
            let path = "/v1/templates/saas/execute"
            let body = #"{"configuration":{},"webhook_url":"https://example.com/hook"}"#
            let answer = try await client.post(path, body, fixture.jsonKey).json
            #expect(answer["webhook_secret"] == .string("whsec_\(FakeAdmission.executionID)"))
            let keys = try await client.post(path, #"{"configuration":{}}"#, fixture.jsonKey).keys
            #expect(keys == ["execution_id", "estimated_completion", "progress_url"])
        }
    }
}
