import Domain
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Sandbox

@Suite(.timeLimit(.minutes(1))) struct AnthropicAnswerTests {
    @Test func streamsTheEventsInOrderWithCumulativeUsage() async throws {
        try await withSandbox(latency: Latency(initial: .zero, perChunk: .zero, chunkBytes: 40)) { client in
            let response = try await client.message(body(["stream": true]))
            #expect(response.status == .ok)
            #expect(response.header("content-type") == "text/event-stream; charset=utf-8")
            let events = try response.events
            let deltas = events.filter { $0.name == "content_block_delta" }.count
            #expect(deltas > 1)
            #expect(
                events.map(\.name) == ["message_start", "content_block_start", "ping"]
                    + Array(repeating: "content_block_delta", count: deltas)
                    + ["content_block_stop", "message_delta", "message_stop"])
            #expect(events.allSatisfy { $0.data["type"]?.stringValue == $0.name })
            let start = events[0].data["message"]
            #expect(start?["stop_reason"] == .null)
            #expect(start?["content"] == [])
            #expect(start?["usage"]?["input_tokens"] == 5, "18 bytes at 4 a token")
            let text = try response.streamedText
            let end = events[events.count - 2].data
            #expect(end["delta"]?["stop_reason"] == "end_turn")
            #expect(end["usage"]?["output_tokens"]?.integerValue == Int64((text.utf8.count + 3) / 4))
            #expect(text.contains("Plan a bakery shop"))
        }
    }

    @Test func answersInOnePieceWithTheSameText() async throws {
        try await withSandbox { client in
            let whole = try await client.message(body())
            let streamed = try await client.message(body(["stream": true]))
            let message = try whole.json
            #expect(message["type"] == "message")
            #expect(message["role"] == "assistant")
            #expect(message["stop_reason"] == "end_turn")
            #expect(message["content"]?.arrayValue?.first?["text"]?.stringValue == (try streamed.streamedText))
            #expect(
                message["usage"]?["output_tokens"]
                    == (try streamed.events.dropLast().last?.data["usage"]?["output_tokens"]))
        }
    }

    @Test func stopsAtMaxTokensAndStopSequences() async throws {
        try await withSandbox { client in
            let short = try await client.message(body(["max_tokens": 3])).json
            #expect(short["stop_reason"] == "max_tokens")
            #expect(short["usage"]?["output_tokens"] == 3)
            #expect(short["content"]?.arrayValue?.first?["text"] == "Sandbox answ")
            let stopped = try await client.message(body(["stop_sequences": ["nowhere", "bakery"]])).json
            #expect(stopped["stop_reason"] == "stop_sequence")
            #expect(stopped["stop_sequence"] == "bakery")
            #expect(stopped["content"]?.arrayValue?.first?["text"] == "Sandbox answer to: Plan a ")
        }
    }

    @Test func countsTokensWithoutAnswering() async throws {
        try await withSandbox { client in
            let response = try await client.message(
                body(["max_tokens": .null, "system": "12345"]), to: SandboxClient.messages + "/count_tokens")
            #expect(try response.json == ["input_tokens": 7], "5 bytes and 18 bytes, each rounded up")
        }
    }

    @Test func takesWhatCommandLineClientsSend() async throws {
        try await withSandbox { client in
            let response = try await client.message(
                body([
                    "context_management": ["edits": []], "thinking": ["type": "adaptive"], "tools": [],
                    "metadata": ["user_id": "u"],
                    "messages": [["role": "user", "content": "hi"], ["role": "system", "content": []]],
                ]), to: SandboxClient.messages + "?beta=true")
            #expect(response.status == .ok, "\(response.text)")
        }
    }

    @Test func keepsItsPaceByTheClock() async throws {
        let clock = RecordingClock()
        let latency = Latency(initial: .milliseconds(30), perChunk: .milliseconds(5), chunkBytes: 30)
        try await withSandbox(latency: latency, clock: clock) { client in
            let response = try await client.message(body(["stream": true]))
            let deltas = try response.events.filter { $0.name == "content_block_delta" }.count
            #expect(clock.sleeps == [.milliseconds(30)] + Array(repeating: .milliseconds(5), count: deltas))
        }
    }

    /// Sends a request with this system prompt and compares what it pays for: input, cache reads, five-minute and
    /// one-hour writes.
    private static func expectPaid(
        _ expected: [Int64], _ client: SandboxClient, _ system: String, ttl: String, question: String = "x",
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let control: JSON = ["type": "ephemeral", "ttl": .string(ttl)]
        let response = try await client.message(
            body([
                "system": [["type": "text", "text": .string(system), "cache_control": control]],
                "messages": [["role": "user", "content": .string(question)]],
            ]))
        let usage = try response.json["usage"]
        let written = usage?["cache_creation"]
        let paid = [
            usage?["input_tokens"], usage?["cache_read_input_tokens"], written?["ephemeral_5m_input_tokens"],
            written?["ephemeral_1h_input_tokens"],
        ].compactMap { $0?.integerValue }
        #expect(paid == expected, sourceLocation: sourceLocation)
    }

    @Test func cachesMarkedPrefixesByTheirLifetime() async throws {
        let clock = ManualClock()
        let long = String(repeating: "wise", count: 2_000)
        let other = String(repeating: "fool", count: 2_000)
        try await withSandbox(wallClock: clock) { client in
            try await Self.expectPaid([1, 0, 2_000, 0], client, long, ttl: "5m")
            try await Self.expectPaid([2, 2_000, 0, 0], client, long, ttl: "5m", question: "another")
            clock.advance(by: .seconds(299))
            try await Self.expectPaid([1, 2_000, 0, 0], client, long, ttl: "5m")  // a use starts the lifetime anew
            clock.advance(by: .seconds(299))
            try await Self.expectPaid([1, 2_000, 0, 0], client, long, ttl: "5m")
            clock.advance(by: .seconds(301))
            try await Self.expectPaid([1, 0, 2_000, 0], client, long, ttl: "5m")
            try await Self.expectPaid([1, 0, 0, 2_000], client, other, ttl: "1h")
            clock.advance(by: .seconds(3_000))
            try await Self.expectPaid([1, 2_000, 0, 0], client, other, ttl: "1h")
            try await Self.expectPaid([3, 0, 0, 0], client, "short", ttl: "5m")  // below the least cached prefix
        }
    }

    @Test func cachesGrowingPrefixesAndKeepsAccountsApart() async throws {
        let long = String(repeating: "wise", count: 2_000)
        let control: JSON = ["type": "ephemeral"]
        @Sendable func request(_ turns: Int) -> JSON {
            body([
                "messages": .array(
                    (0..<turns).map { turn in
                        [
                            "role": "user",
                            "content": [["type": "text", "text": .string("\(turn)\(long)"), "cache_control": control]],
                        ]
                    })
            ])
        }
        try await withSandbox { client in
            _ = try await client.message(request(1))
            let grown = try await client.message(request(2)).json["usage"]
            #expect(grown?["cache_read_input_tokens"] == 2_001)
            #expect(grown?["cache_creation_input_tokens"] == 2_001)
            #expect(grown?["input_tokens"] == 0)
            let stranger = try await client.message(request(2), headers: ["x-api-key": "another"]).json["usage"]
            #expect(stranger?["cache_read_input_tokens"] == 0)
            #expect(stranger?["cache_creation_input_tokens"] == 4_002)
        }
    }
}
