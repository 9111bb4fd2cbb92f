import PluginKit
import PluginTestHost
import Testing

@testable import CodexPlugin

@Suite struct AnswerTests {
    static let finalUsage: JSON = [
        "input_tokens": 25, "output_tokens": 79, "cache_read_tokens": 4000, "cache_write_5m_tokens": 300,
        "cache_write_1h_tokens": 0,
    ]
    private static let structured: JSON = ["output_schema": ["type": "object"]]

    @Test func `a recorded stream reads the same wherever it is cut into pieces`() async throws {
        let bytes = Array(RecordedStream.text.utf8)
        let whole = try await read(Pieces(pieces: [bytes]), for: request())
        #expect(whole.result["text"] == "Grüße, 世界 👋")
        #expect(whole.result["structured"] == .null)
        #expect(whole.result["model"] == "gpt-5.3-codex-2026-02-05")
        #expect(whole.result["stop_reason"] == "completed")
        #expect(whole.result["usage"] == Self.finalUsage)
        #expect(whole.result["raw_usage"]?["total_tokens"] == 4404)
        #expect(whole.result["raw_usage"]?["output_tokens_details"] == ["reasoning_tokens": 64])
        #expect(whole.result["provider_request_id"] == "req_7")
        #expect(whole.outputs == [.text("Grüße, "), .text("世界 👋"), .usage(Self.finalUsage)])
        for cut in 1..<bytes.count {
            let parts = try await read(Pieces(pieces: [Array(bytes[..<cut]), Array(bytes[cut...])]), for: request())
            #expect(parts.result == whole.result, "cut at \(cut)")
            #expect(parts.outputs == whole.outputs, "cut at \(cut)")
        }
        let single = try await read(Pieces(pieces: bytes.map { [$0] }), for: request())
        #expect(single.result == whole.result)
    }

    @Test func `a stream that ends after any of its events but the last can be tried again, its usage unknown`()
        async throws
    {
        let events = RecordedStream.text.split(separator: "\n\n").map { "\($0)\n\n" }
        #expect(events.count == 16)
        for count in 0..<events.count {
            let error = await failure(events.prefix(count).joined(), for: try request())
            #expect(error?.code == .upstream, "after \(count)")
            #expect(error?.isRetryable == true, "after \(count)")
            #expect(error?.usage == nil && error?.rawUsage == nil && error?.isUsageFinal == false, "after \(count)")
            #expect(error?.status == nil, "after \(count)")
            #expect(error?.providerRequestID == "req_7", "after \(count)")
        }
        #expect(try await read(events.joined(), for: request())["text"] == "Grüße, 世界 👋")
    }

    @Test func `a transfer that breaks keeps its class and gains the request id`() async throws {
        let reset = PluginError(.upstream, "connection reset", isRetryable: true)
        let error = await failure(RecordedStream.created + RecordedStream.delta("x"), for: try request(), then: reset)
        #expect(error?.message == "connection reset")
        #expect(error?.isRetryable == true && error?.usage == nil)
        #expect(error?.providerRequestID == "req_7")
    }

    @Test func `a structured answer is parsed, without the nulls that stand for optional members`() async throws {
        let schema: JSON = [
            "output_schema": [
                "type": "object", "required": ["summary"],
                "properties": ["summary": ["type": "string"], "note": ["type": "string"]],
            ]
        ]
        let result = try await read(RecordedStream.short(#"{"summary":"s","note":null}"#), for: request(schema))
        #expect(result["structured"] == ["summary": "s"])
        #expect(result["text"] == #"{"summary":"s","note":null}"#)
    }

    @Test(arguments: ["Sure! {}", "[1]", "{\"a\":", ""])
    func `an answer that is not the JSON asked for is paid and can be tried again`(text: String) async throws {
        let error = await failure(RecordedStream.short(text), for: try request(Self.structured))
        #expect(error?.code == .upstream && error?.isRetryable == true)
        #expect(error?.message == "the answer is not the JSON asked for")
        #expect(error?.usage?["output_tokens"] == 9)
        #expect(error?.rawUsage == RecordedStream.usage && error?.isUsageFinal == true)
    }

    private static let incomplete: [(JSON, PluginError.Code, String)] = [
        (["reason": "max_output_tokens"], .limit, "max_output_tokens (100"),
        (["reason": "content_filter"], .invalid, "content filter"), (["reason": "steered"], .upstream, "steered"),
        (.null, .upstream, "no reason"),
    ]

    @Test(arguments: incomplete)
    func `an incomplete answer is an error with its final usage`(
        details: JSON, code: PluginError.Code, words: String
    ) async throws {
        let stream =
            RecordedStream.created + RecordedStream.delta("half")
            + RecordedStream.end("incomplete", ["incomplete_details": details])
        for members in [[:], Self.structured] {
            let error = await failure(stream, for: try request(members))
            #expect(error?.code == code && error?.isRetryable == false)
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
            #expect(error?.usage?["output_tokens"] == 9 && error?.isUsageFinal == true)
            #expect(error?.rawUsage == RecordedStream.usage && error?.status == nil)
        }
    }

    private static let failed: [(String, PluginError.Code, Bool)] = [
        ("server_error", .upstream, true), ("rate_limit_exceeded", .limit, true), ("invalid_prompt", .invalid, false),
        ("image_content_policy_violation", .invalid, false), ("vector_store_timeout", .upstream, true),
        ("bio_policy", .invalid, false), ("data_residency_mismatch", .denied, false),
        ("insufficient_quota", .denied, false), ("something_new", .upstream, true),
    ]

    @Test(arguments: failed)
    func `a failed response is classed by its code, its usage final where it is stated`(
        code: String, expected: PluginError.Code, isRetryable: Bool
    ) async throws {
        let why: JSON = ["code": .string(code), "message": "Sorry"]
        let stated = await failure(
            RecordedStream.created + RecordedStream.end("failed", ["error": why]), for: try request())
        #expect(stated?.code == expected && stated?.isRetryable == isRetryable)
        #expect(stated?.message.contains("\(code): Sorry") == true, "\(stated?.message ?? "")")
        #expect(stated?.usage?["input_tokens"] == 5 && stated?.isUsageFinal == true)
        let unstated = await failure(RecordedStream.end("failed", ["error": why, "usage": .null]), for: try request())
        #expect(unstated?.code == expected && unstated?.usage == nil && unstated?.isUsageFinal == false)
        #expect(unstated?.status == nil, "what it cost is not known to be nothing")
    }

    @Test(arguments: failed)
    func `an error event in the stream is classed by its code, its usage unknown`(
        code: String, expected: PluginError.Code, isRetryable: Bool
    ) async throws {
        let flat = RecordedStream.event("error", ["code": .string(code), "message": "Sorry", "param": .null])
        let nested = RecordedStream.event(
            "error", ["error": ["type": "x", "code": .string(code), "message": "Sorry", "param": .null]])
        for event in [flat, nested] {
            let error = await failure(RecordedStream.created + event, for: try request())
            #expect(error?.code == expected && error?.isRetryable == isRetryable)
            #expect(error?.message.contains("\(code): Sorry") == true)
            #expect(error?.status == nil && error?.usage == nil && error?.isUsageFinal == false)
        }
    }

    @Test func `a refusal is invalid, says why, and is paid`() async throws {
        let streamed =
            RecordedStream.created
            + RecordedStream.event("response.refusal.delta", ["output_index": 0, "delta": "I can't "])
            + RecordedStream.event("response.refusal.delta", ["output_index": 0, "delta": "help."])
            + RecordedStream.event("response.refusal.done", ["output_index": 0, "refusal": "I can't help."])
            + RecordedStream.end("completed")
        let content: JSON = [["type": "refusal", "refusal": "I can't help."]]
        let whole = RecordedStream.end("completed", ["output": [["type": "message", "content": content]]])
        for stream in [streamed, whole] {
            let error = await failure(stream, for: try request(Self.structured))
            #expect(error?.code == .invalid && error?.isRetryable == false)
            #expect(error?.message.contains("(I can't help.)") == true)
            #expect(error?.usage?["input_tokens"] == 5 && error?.isUsageFinal == true)
        }
    }

    @Test func `the last event fills in what the deltas left out, and must agree with them`() async throws {
        func output(_ text: String) -> JSON {
            ["output": [["type": "message", "content": [["type": "output_text", "text": .string(text)]]]]]
        }
        let start = RecordedStream.created + RecordedStream.delta("Hello")
        let (result, outputs) = try await read(
            Pieces(pieces: [Array((start + RecordedStream.end("completed", output("Hello, 世界"))).utf8)]), for: request()
        )
        #expect(result["text"] == "Hello, 世界")
        #expect(outputs.contains(.text("Hello")) && outputs.last == .text(", 世界"))
        let error = await failure(start + RecordedStream.end("completed", output("Hellas")), for: try request())
        #expect(error?.code == .upstream && error?.isRetryable == true)
        #expect(error?.usage?["output_tokens"] == 9, "it was paid all the same")
    }

    @Test func `an answer that states no usage is not taken for free`() async throws {
        for usage: JSON in [.null, [:], 7] {
            let error = await failure(RecordedStream.end("completed", ["usage": usage]), for: try request())
            #expect(error?.code == .upstream && error?.isRetryable == false)
            #expect(error?.usage == nil && error?.isUsageFinal == false && error?.status == nil)
        }
    }

    @Test func `events are known by their data where a gateway leaves out their names`() async throws {
        let lines = RecordedStream.text.split(separator: "\n", omittingEmptySubsequences: false)
        let unnamed = lines.filter { !$0.hasPrefix("event: ") && !$0.contains("not even") }.joined(separator: "\n")
        #expect(try await read("data: [DONE]\n\n" + unnamed, for: request())["usage"] == Self.finalUsage)
    }

    @Test(arguments: [
        "event: response.created\ndata: {\"type\":\n\n", RecordedStream.event("response.completed", [:]),
    ])
    func `a damaged event can be tried again`(stream: String) async throws {
        let error = await failure(stream, for: try request())
        #expect(error?.code == .upstream && error?.isRetryable == true)
    }

    @Test(.timeLimit(.minutes(1))) func `nothing is read beyond the answer`() async throws {
        let (pieces, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        continuation.yield(Array(RecordedStream.text.utf8))
        // The stream is never finished.
        let result = try await Answer(request: try request(), providerRequestID: nil).read(pieces) { _ in }
        #expect(result["stop_reason"] == "completed")
    }

    @Test func `a host that stops taking output stops the reading`() async throws {
        let pieces = Pieces(pieces: [Array(RecordedStream.text.utf8)])
        let answer = Answer(request: try request(), providerRequestID: nil)
        let error = await #expect(throws: PluginError.self) {
            try await answer.read(pieces) { _ in throw PluginError(.cancelled, "the call was cancelled") }
        }
        #expect(error?.code == .cancelled)
    }

    @Test func `a page instead of a stream names base_url`() throws {
        for type in ["text/html; charset=utf-8", "application/json-seq", ""] {
            let error = #expect(throws: PluginError.self) { try Answer.Form(contentType: type, requestID: "req_1") }
            #expect(error?.message.contains("base_url") == true)
            #expect(error?.status == nil && error?.providerRequestID == "req_1")
        }
        for type in ["Text/Event-Stream; charset=utf-8", nil] {
            #expect(try Answer.Form(contentType: type, requestID: nil) == .eventStream)
        }
        #expect(try Answer.Form(contentType: "Application/JSON;charset=utf-8", requestID: nil) == .response)
    }
}

@Suite struct StatedUsageTests {
    @Test func `the provider's subsets become disjoint classes`() {
        let usage = StatedUsage([
            "input_tokens": 30, "input_tokens_details": ["cached_tokens": 10, "cache_write_tokens": 5],
            "output_tokens": 7, "output_tokens_details": ["reasoning_tokens": 6], "total_tokens": 37,
        ])
        #expect(
            usage?.json == [
                "input_tokens": 15, "output_tokens": 7, "cache_read_tokens": 10, "cache_write_5m_tokens": 5,
                "cache_write_1h_tokens": 0,
            ])
    }

    private static let odd: [(JSON, [JSON])] = [
        (["input_tokens": 3, "output_tokens": 4], [3, 0, 0]),
        (["input_tokens": 3, "input_tokens_details": .null], [3, 0, 0]),
        (["input_tokens": 3, "input_tokens_details": ["cached_tokens": 9]], [0, 3, 0]),
        (["input_tokens": 3, "input_tokens_details": ["cached_tokens": 2, "cache_write_tokens": 9]], [0, 2, 1]),
        (["input_tokens": -1, "output_tokens": "7", "input_tokens_details": ["cached_tokens": 2]], [0, 0, 0]),
        (["input_tokens": 9_000_000_000_000], [0, 0, 0]),
    ]

    @Test(arguments: odd)
    func `parts never outgrow the whole, and nonsense stays visible in the raw usage`(
        raw: JSON, classes: [JSON]
    ) throws {
        let usage = try #require(StatedUsage(raw))
        #expect(usage.raw == raw)
        #expect(
            ["input_tokens", "cache_read_tokens", "cache_write_5m_tokens"].map { usage.json[$0] } == classes)
    }
}
