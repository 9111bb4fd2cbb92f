import Domain
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Sandbox

@Suite(.timeLimit(.minutes(1))) struct OpenAIAnswerTests {
    @Test func `the events come in the documented order, numbered, and end with the whole`() async throws {
        try await withSandbox(latency: Latency(initial: .zero, perChunk: .zero, chunkBytes: 40)) { client in
            let response = try await client.response(responsesBody(["stream": true]))
            #expect(response.status == .ok)
            #expect(response.header("content-type") == "text/event-stream; charset=utf-8")
            let events = try response.events
            let deltas = events.filter { $0.name == "response.output_text.delta" }.count
            #expect(deltas > 1)
            #expect(
                events.map(\.name) == [
                    "response.created", "response.in_progress", "response.output_item.added",
                    "response.output_item.done", "response.output_item.added", "response.content_part.added",
                ] + Array(repeating: "response.output_text.delta", count: deltas) + [
                    "response.output_text.done", "response.content_part.done", "response.output_item.done",
                    "response.completed",
                ])
            #expect(events.allSatisfy { $0.data["type"]?.stringValue == $0.name })
            #expect(events.map { $0.data["sequence_number"]?.integerValue } == events.indices.map { Int64($0) })
            #expect(events[0].data["response"]?["status"] == "in_progress")
            #expect(events[0].data["response"]?["usage"] == .null && events[0].data["response"]?["output"] == [])
            let whole = try #require(events.last?.data["response"])
            let text = try response.streamedResponseText
            #expect(text.contains("Plan a bakery shop"))
            #expect(whole["status"] == "completed" && whole.responseText == text)
            let written = Int64((text.utf8.count + 3) / 4)
            #expect(
                whole["usage"] == [
                    "input_tokens": 5, "input_tokens_details": ["cached_tokens": 0, "cache_write_tokens": 0],
                    "output_tokens": .integer(written + 64), "output_tokens_details": ["reasoning_tokens": 64],
                    "total_tokens": .integer(written + 69),
                ])
        }
    }

    @Test func `an answer in one piece has the same text and repeats its request`() async throws {
        try await withSandbox { client in
            let response = try await client.response(
                responsesBody(["instructions": "Be brief.", "metadata": ["a": "b"]]))
            let whole = try response.json
            let streamed = try await client.response(responsesBody(["instructions": "Be brief.", "stream": true]))
            #expect(whole["object"] == "response" && whole["status"] == "completed" && whole["error"] == .null)
            #expect(whole["instructions"] == "Be brief." && whole["metadata"] == ["a": "b"] && whole["store"] == false)
            #expect(whole["max_output_tokens"] == 1000 && whole["temperature"] == 1 && whole["tools"] == [])
            #expect(whole.responseText == (try streamed.streamedResponseText))
            #expect(whole["usage"] == (try streamed.events.last?.data["response"]?["usage"]))
            #expect(response.header("x-request-id") == "req_sandbox_1")
        }
    }

    @Test func `an answer that reaches its limit is incomplete, and may not even begin`() async throws {
        try await withSandbox { client in
            let short = try await client.response(responsesBody(["max_output_tokens": 67])).json
            #expect(short["status"] == "incomplete" && short["completed_at"] == .null)
            #expect(short["incomplete_details"] == ["reason": "max_output_tokens"])
            #expect(short.responseText == "Sandbox answ")
            #expect(short["usage"]?["output_tokens"] == 67)
            let events = try await client.response(responsesBody(["max_output_tokens": 20, "stream": true])).events
            #expect(
                events.map(\.name) == [
                    "response.created", "response.in_progress", "response.output_item.added",
                    "response.output_item.done", "response.incomplete",
                ])
            let usage = events.last?.data["response"]?["usage"]
            #expect(usage?["output_tokens"] == 20 && usage?["output_tokens_details"] == ["reasoning_tokens": 20])
            #expect(try await client.ledger().map { $0["stop_reason"] } == ["max_output_tokens", "max_output_tokens"])
        }
    }

    @Test func `a model that is told not to think does not`() async throws {
        try await withSandbox { client in
            let response = try await client.response(responsesBody(["reasoning": ["effort": "none"]])).json
            #expect(response["output"]?.arrayValue?.map { $0["type"] } == ["message"])
            #expect(response["usage"]?["output_tokens_details"] == ["reasoning_tokens": 0])
        }
    }

    /// `AnswerTests.richSchema` with everything required, as strict outputs want it.
    private static var strictSchema: JSON {
        func strict(_ value: JSON) -> JSON {
            guard var object = value.objectValue else { return value }
            for member in object.members {
                object[member.key] = member.value.arrayValue.map { .array($0.map(strict)) } ?? strict(member.value)
            }
            if let properties = object["properties"]?.objectValue {
                object["required"] = .array(properties.keys.map(JSON.string))
            }
            if object["enum"] != nil || object["const"] != nil { object["type"] = "string" }
            return .object(object)
        }
        return strict(AnswerTests.richSchema)
    }

    @Test func `structured answers fit their schema and are deterministic`() async throws {
        try await withSandbox { client in
            let request = responsesBody(["text": textFormat(Self.strictSchema), "stream": true])
            let first = try await client.response(request)
            #expect(first.status == .ok, "\(first.text)")
            let answer = try JSON.parse(try first.streamedResponseText)
            #expect(AnswerTests.faults(of: answer, against: Self.strictSchema) == [])
            #expect(answer["summary"] == "Sandbox answer to: Plan a bakery shop")
            #expect(try await client.response(request).streamedResponseText == (try first.streamedResponseText))
        }
    }

    @Test func `what OpenAI's own command line sends is taken`() async throws {
        try await withSandbox { client in
            let response = try await client.response(
                responsesBody([
                    "input": [
                        ["type": "message", "role": "developer", "content": "rules"],
                        ["type": "message", "role": "user", "content": [["type": "input_text", "text": "hi"]]],
                        ["type": "function_call_output", "call_id": "c", "output": "done"],
                    ],
                    "tools": [["type": "function", "name": "f", "parameters": [:]]], "tool_choice": "auto",
                    "parallel_tool_calls": true, "include": ["reasoning.encrypted_content"], "prompt_cache_key": "k",
                    "reasoning": ["effort": "high", "summary": "auto"], "client_metadata": [:], "stream": true,
                ]))
            #expect(response.status == .ok, "\(response.text)")
            let fromText = try await client.response(responsesBody(["input": "Plan a bakery shop"]))
            #expect(try fromText.json.responseText?.contains("Plan a bakery shop") == true)
        }
    }

    @Test func `the first bytes and each piece take their time by the clock`() async throws {
        let clock = RecordingClock()
        let latency = Latency(initial: .milliseconds(30), perChunk: .milliseconds(5), chunkBytes: 30)
        try await withSandbox(latency: latency, clock: clock) { client in
            let response = try await client.response(responsesBody(["stream": true]))
            let deltas = try response.events.filter { $0.name == "response.output_text.delta" }.count
            #expect(clock.sleeps == [.milliseconds(30)] + Array(repeating: .milliseconds(5), count: deltas))
        }
    }

    /// Compares what a request pays for: all of its input, and of that what was read from and written to the cache.
    private static func expectPaid(
        _ expected: [Int64], _ client: SandboxClient, _ instructions: String, model: String = "gpt-5.6-sol",
        key: String = "sk-test-key", sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let response = try await client.response(
            responsesBody(["model": .string(model), "instructions": .string(instructions), "input": "x"]),
            headers: ["authorization": "Bearer \(key)"])
        let usage = try response.json["usage"]
        let details = usage?["input_tokens_details"]
        let paid = [usage?["input_tokens"], details?["cached_tokens"], details?["cache_write_tokens"]]
            .compactMap { $0?.integerValue }
        #expect(paid == expected, sourceLocation: sourceLocation)
    }

    @Test func `a beginning that was seen before is read from the cache, in whole steps`() async throws {
        let clock = ManualClock()
        let long = String(repeating: "wise", count: 2_000)
        try await withSandbox(wallClock: clock) { client in
            // 2,001 tokens: the last whole step ends at 1,920.
            try await Self.expectPaid([2_001, 0, 1_920], client, long)
            try await Self.expectPaid([2_001, 1_920, 0], client, long)
            try await Self.expectPaid([2_101, 1_920, 128], client, long + String(repeating: "fool", count: 100))
            let fork = String(repeating: "wise", count: 1_100) + String(repeating: "fool", count: 900)
            try await Self.expectPaid([2_001, 1_024, 896], client, fork)  // 1,100 tokens are the same
            try await Self.expectPaid([1_001, 0, 0], client, String(repeating: "wise", count: 1_000))
            clock.advance(by: .seconds(1_799))
            try await Self.expectPaid([2_001, 1_920, 0], client, long)  // each use starts the lifetime anew
            clock.advance(by: .seconds(1_799))
            try await Self.expectPaid([2_001, 1_920, 0], client, long)
            clock.advance(by: .seconds(1_800))
            try await Self.expectPaid([2_001, 0, 1_920], client, long)
        }
    }

    @Test func `accounts and models share no cache, and earlier models charge no writes`() async throws {
        let long = String(repeating: "wise", count: 2_000)
        try await withSandbox { client in
            try await Self.expectPaid([2_001, 0, 1_920], client, long)
            try await Self.expectPaid([2_001, 0, 1_920], client, long, key: "another")
            try await Self.expectPaid([2_001, 0, 0], client, long, model: "gpt-5.3-codex")
            try await Self.expectPaid([2_001, 1_920, 0], client, long, model: "gpt-5.3-codex")
        }
    }
}
