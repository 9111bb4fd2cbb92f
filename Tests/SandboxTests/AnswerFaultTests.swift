import Domain
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Sandbox

/// The faults of models' answers, the same for each provider of models.
@Suite(.timeLimit(.minutes(1))) struct AnswerFaultTests {
    static let providers = [Provider.anthropic, .openai]

    /// One call whose answer has characters of more than one byte.
    private static func ask(
        _ provider: Provider, _ client: SandboxClient, isStreamed: Bool = true
    ) async throws -> TestResponse {
        switch provider {
        case .anthropic:
            try await client.message(
                body([
                    "stream": .bool(isStreamed), "messages": [["role": "user", "content": "Grüße, 世界"]],
                    "output_config": outputConfig(answerSchema),
                ]))
        default:
            try await client.response(
                responsesBody([
                    "stream": .bool(isStreamed), "input": [["role": "user", "content": "Grüße, 世界"]],
                    "text": textFormat(answerSchema),
                ]))
        }
    }

    private static func plan(_ provider: Provider, _ fault: JSON, _ client: SandboxClient) async throws {
        var members = fault.objectValue ?? JSONObject()
        members["provider"] = .string(provider.rawValue)
        let response = try await client.call(.post, "/faults", .object(members))
        #expect(response.status == .created, "\(response.text)")
    }

    /// The text of a streamed answer.
    private static func text(_ provider: Provider, _ response: TestResponse) throws -> String {
        try response.events.compactMap { event in
            provider == .anthropic ? event.data["delta"]?["text"]?.stringValue : event.data["delta"]?.stringValue
        }.joined()
    }

    @Test(arguments: providers) func `a stream ends early after each of its events`(
        provider: Provider
    ) async throws {
        try await withSandbox { client in
            let whole = try await Self.ask(provider, client).events
            #expect(whole.count > 5)
            // One that is to come later than there are events comes before the last.
            for count in 0...whole.count {
                try await Self.plan(provider, ["kind": "end_early", "after_events": .integer(Int64(count))], client)
                let left = try await Self.ask(provider, client).events
                #expect(left.map(\.name) == whole.prefix(min(count, whole.count - 1)).map(\.name), "\(count)")
            }
            let calls = try await client.ledger()
            let counts = calls.compactMap { $0["events"]?.integerValue.map(Int.init) }
            var expected = [whole.count]
            expected += Array(0..<whole.count)
            expected.append(whole.count - 1)
            #expect(counts == expected)
            #expect(calls.dropFirst().allSatisfy { $0["state"] == "finished" && $0["stop_reason"] == .null })
        }
    }

    @Test(arguments: providers) func `a connection is cut after each event, and inside a character`(
        provider: Provider
    ) async throws {
        try await withSandbox { client in
            let whole = try await Self.ask(provider, client).events
            for kind in ["cut", "cut_in_character"] {
                for count in 0..<whole.count {
                    let fault: JSON = ["kind": .string(kind), "after_events": .integer(Int64(count))]
                    try await Self.plan(provider, fault, client)
                    await #expect(throws: (any Error).self) { try await Self.ask(provider, client) }
                }
            }
            let cut = try await client.ledger().dropFirst()
            let counts = cut.compactMap { $0["events"]?.integerValue.map(Int.init) }
            let each = Array(0..<whole.count)
            #expect(counts == each + each)
            #expect(cut.allSatisfy { $0["state"] == "cut_by_sandbox" && $0["stop_reason"] == .null })
        }
    }

    @Test func `what is cut in a character ends with the beginning of one`() {
        #expect([UInt8]("a Grüße".utf8).cutInCharacter == Array("a Gr".utf8) + [0xC3])
        #expect([UInt8]("abcd".utf8).cutInCharacter == Array("ab".utf8) + [0xE4, 0xB8])
    }

    @Test(arguments: providers) func `a lost response was made and is not heard of`(
        provider: Provider
    ) async throws {
        try await withSandbox { client in
            for isStreamed in [true, false] {
                try await Self.plan(provider, ["kind": "lost_response"], client)
                await #expect(throws: (any Error).self) {
                    try await Self.ask(provider, client, isStreamed: isStreamed)
                }
            }
            for call in try await client.ledger() {
                #expect(call["state"] == "cut_by_sandbox" && call["status"] == .null, "\(call.text)")
                #expect(call["usage"]?["output_tokens"]?.integerValue ?? 0 > 1, "the model has written it")
            }
            #expect(try await Self.ask(provider, client).status == .ok)
        }
    }

    @Test(arguments: providers) func `an answer is not what was asked for`(provider: Provider) async throws {
        try await withSandbox { client in
            let good = try JSON.parse(Self.text(provider, try await Self.ask(provider, client)))
            #expect(good["summary"]?.stringValue != nil && good["files"]?.arrayValue != nil)
            try await Self.plan(provider, ["kind": "wrong_schema"], client)
            let wrong = try await Self.ask(provider, client)
            #expect(try JSON.parse(Self.text(provider, wrong))["summary"]?.integerValue != nil, "\(wrong.text)")
            try await Self.plan(provider, ["kind": "prose"], client)
            let prose = try Self.text(provider, try await Self.ask(provider, client))
            #expect(!prose.isEmpty)
            #expect(throws: JSONError.self) { try JSON.parse(prose) }
            #expect(try await client.ledger().allSatisfy { $0["stop_reason"]?.isNull == false && $0["usage"] != .null })
        }
    }
}
