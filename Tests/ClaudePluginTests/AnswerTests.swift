import PluginKit
import PluginTestHost
import Testing

@testable import ClaudePlugin

@Suite struct AnswerTests {
    static let finalUsage: JSON = [
        "input_tokens": 25, "output_tokens": 15, "cache_read_tokens": 4000, "cache_write_5m_tokens": 100,
        "cache_write_1h_tokens": 200,
    ]

    @Test func readsARecordedStreamCutAtEveryByte() async throws {
        let bytes = Array(RecordedStream.text.utf8)
        let whole = try await read(Pieces(pieces: [bytes]), for: request())
        #expect(whole.result["text"] == "Grüße, 世界 👋")
        #expect(whole.result["structured"] == .null)
        #expect(whole.result["model"] == "claude-sonnet-5-5-20260801")
        #expect(whole.result["stop_reason"] == "end_turn")
        #expect(whole.result["usage"] == Self.finalUsage)
        #expect(whole.result["provider_request_id"] == "req_7")
        #expect(
            whole.outputs.compactMap { if case .text(let piece) = $0 { piece } else { nil } } == ["Grüße, ", "世界 👋"])
        for cut in 1..<bytes.count {
            let parts = try await read(Pieces(pieces: [Array(bytes[..<cut]), Array(bytes[cut...])]), for: request())
            #expect(parts.result == whole.result, "cut at \(cut)")
            #expect(parts.outputs == whole.outputs, "cut at \(cut)")
        }
        let single = try await read(Pieces(pieces: bytes.map { [$0] }), for: request())
        #expect(single.result == whole.result)
    }

    @Test func laterUsageReplacesEarlierAndKeepsTheProvidersOwnObject() async throws {
        let (result, outputs) = try await read(Pieces(pieces: [Array(RecordedStream.text.utf8)]), for: request())
        let counts = outputs.compactMap { if case .usage(let usage) = $0 { usage["output_tokens"] } else { nil } }
        #expect(counts == [1, 7, 15])
        #expect(result["raw_usage"]?["output_tokens"] == 15)
        #expect(result["raw_usage"]?["input_tokens"] == 25, "a null leaves what was stated before")
        #expect(result["raw_usage"]?["output_tokens_details"] == ["thinking_tokens": 4])
        #expect(result["raw_usage"]?["service_tier"] == "standard")
    }

    @Test func parsesAStructuredAnswer() async throws {
        let stream = RecordedStream.short(#"{"summary":"s","files":[]}"#, stopReason: "end_turn")
        let structured = try request(["output_schema": ["type": "object"]])
        let (result, _) = try await read(Pieces(pieces: [Array(stream.utf8)]), for: structured)
        #expect(result["structured"] == ["summary": "s", "files": []])
    }

    @Test(arguments: ["Sure! {}", "[1]", "{\"a\":", ""])
    func refusesAnAnswerThatIsNotTheJSONAskedFor(text: String) async throws {
        let structured = try request(["output_schema": ["type": "object"]])
        let error = await failure(RecordedStream.short(text, stopReason: "end_turn"), for: structured)
        #expect(error?.code == .upstream)
        #expect(error?.isRetryable == true)
        #expect(error?.message == "the answer is not the JSON asked for")
        #expect(error?.usage?["output_tokens"] == 9)
        #expect(error?.rawUsage == ["input_tokens": 5, "output_tokens": 9] && error?.isUsageFinal == true)
        #expect(error?.providerRequestID == "req_7")
    }

    @Test func anAnswerCutByItsLimitIsAnErrorOnlyWhereJSONWasAskedFor() async throws {
        let stream = RecordedStream.short("{\"summary\":", stopReason: "max_tokens", output: 100)
        let error = await failure(stream, for: try request(["output_schema": ["type": "object"]]))
        #expect(error?.code == .limit)
        #expect(error?.isRetryable == false)
        #expect(error?.message.contains("max_output_tokens (100)") == true)
        #expect(error?.usage?["output_tokens"] == 100)
        #expect(error?.rawUsage?["output_tokens"] == 100 && error?.isUsageFinal == true)
        let (result, _) = try await read(Pieces(pieces: [Array(stream.utf8)]), for: request())
        #expect(result["stop_reason"] == "max_tokens")
        #expect(result["text"] == "{\"summary\":")
    }

    @Test func aRefusalIsInvalidAndSaysWhy() async throws {
        let stream = RecordedStream.short(
            "", stopReason: "refusal", stopDetails: ["type": "refusal", "category": "cyber", "explanation": "no"])
        let error = await failure(stream, for: try request())
        #expect(error?.code == .invalid)
        #expect(error?.isRetryable == false)
        #expect(error?.message.contains("cyber: no") == true)
        #expect(error?.usage?["input_tokens"] == 5)
        #expect(error?.rawUsage?["input_tokens"] == 5 && error?.isUsageFinal == true)
    }

    @Test(arguments: ["tool_use", "pause_turn"])
    func aStopThatCannotOccurIsInternal(reason: String) async throws {
        let error = await failure(RecordedStream.short("x", stopReason: reason), for: try request())
        #expect(error?.code == .internal)
        #expect(error?.usage?["output_tokens"] == 9)
    }

    @Test func aStreamCutAnywhereBeforeItsEndIsRetryableWithTheUsageSoFar() async throws {
        let stream = RecordedStream.text
        // The second is between the text and the first message_delta, where the answer seems whole and its usage is not.
        let parts: [(String, JSON?)] = [
            (stream.components(upTo: "event: message_stop"), 15), (stream.components(upTo: "event: message_delta"), 1),
            (RecordedStream.start, 1), ("", nil),
        ]
        for (part, tokens) in parts {
            #expect(part.utf8.count < stream.utf8.count)
            let error = await failure(part, for: try request())
            #expect(error?.code == .upstream)
            #expect(error?.isRetryable == true)
            #expect(error?.usage?["output_tokens"] == tokens)
            #expect(error?.isUsageFinal == false)
        }
    }

    @Test func aTransferThatFailsKeepsItsClassAndGainsUsageAndRequestID() async throws {
        let start = RecordedStream.start
        let reset = PluginError(.upstream, "connection reset", isRetryable: true)
        let error = await failure(start, for: try request(), then: reset)
        #expect(error?.message == "connection reset")
        #expect(error?.isRetryable == true)
        #expect(error?.usage?["cache_read_tokens"] == 4000)
        #expect(error?.providerRequestID == "req_7")
    }

    @Test func aStreamThatStatesNoUsageIsNotTakenForFree() async throws {
        let stream = RecordedStream.short("x", stopReason: "end_turn").replacing("\"usage\"", with: "\"other\"")
        let error = await failure(stream, for: try request())
        #expect(error?.code == .upstream && error?.isRetryable == false)
        #expect(error?.usage == nil && error?.isUsageFinal == false && error?.status == nil)
    }

    @Test(.timeLimit(.minutes(1))) func readsNothingBeyondTheMessage() async throws {
        let (pieces, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        continuation.yield(Array(RecordedStream.text.utf8))
        // The stream is never finished.
        let result = try await Answer(request: try request(), providerRequestID: nil).read(pieces) { _ in }
        #expect(result["stop_reason"] == "end_turn")
    }

    @Test func whatHappensToTheConnectionAfterTheEndDoesNotMatter() async throws {
        let reset = PluginError(.upstream, "connection reset", isRetryable: true)
        let (result, _) = try await read(
            Pieces(pieces: [Array(RecordedStream.text.utf8)], failure: reset), for: request())
        #expect(result["stop_reason"] == "end_turn")
    }

    @Test func anErrorInsideTheStreamIsClassedAndCarriesTheUsageSoFar() async throws {
        let start = RecordedStream.start
        let cases: [(String, PluginError.Code, Bool)] = [
            ("overloaded_error", .upstream, true), ("api_error", .upstream, true), ("timeout_error", .upstream, true),
            ("rate_limit_error", .limit, true), ("invalid_request_error", .invalid, false),
            ("authentication_error", .denied, false), ("something_new", .upstream, true),
        ]
        for (type, code, isRetryable) in cases {
            let event = """
                event: error
                data: {"type":"error","error":{"type":"\(type)","message":"Sorry"}}


                """
            let error = await failure(start + event, for: try request())
            #expect(error?.code == code, "\(type)")
            #expect(error?.isRetryable == isRetryable, "\(type)")
            #expect(error?.message.contains("Sorry") == true)
            #expect(error?.usage?["input_tokens"] == 25)
        }
    }

    @Test func aDamagedEventIsRetryable() async throws {
        let error = await failure("event: message_start\ndata: {\"type\":\n\n", for: try request())
        #expect(error?.code == .upstream)
        #expect(error?.isRetryable == true)
    }

    @Test func anEndWithoutAStopReasonIsRetryable() async throws {
        let error = await failure("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", for: try request())
        #expect(error?.message.contains("stop_reason") == true)
        #expect(error?.isRetryable == true)
    }

    @Test func aHostThatStopsTakingOutputStopsTheReading() async throws {
        let pieces = Pieces(pieces: [Array(RecordedStream.text.utf8)])
        let answer = Answer(request: try request(), providerRequestID: nil)
        let error = await #expect(throws: PluginError.self) {
            try await answer.read(pieces) { _ in throw PluginError(.cancelled, "the call was cancelled") }
        }
        #expect(error?.code == .cancelled)
    }

    @Test func aPageInsteadOfAStreamNamesBaseURL() throws {
        for type in ["text/html; charset=utf-8", "application/json-seq", ""] {
            let error = #expect(throws: PluginError.self) { try Answer.Form(contentType: type, requestID: "req_1") }
            #expect(error?.message.contains("base_url") == true)
            #expect(error?.status == nil && error?.providerRequestID == "req_1")
        }
        for type in ["Text/Event-Stream; charset=utf-8", nil] {
            #expect(try Answer.Form(contentType: type, requestID: nil) == .eventStream)
        }
        #expect(try Answer.Form(contentType: "Application/JSON;charset=utf-8", requestID: nil) == .message)
    }
}
