import PluginKit
import PluginTestHost
import Testing

@testable import ClaudePlugin

/// Whole calls, through the exported symbol.
@Suite(.timeLimit(.minutes(1))) struct ClaudeCallTests {
    private static let input: JSON = [
        "messages": [["role": "user", "content": "Greet the world."]], "max_output_tokens": 100,
    ]

    private static let eventStream: [[JSON]] = [["content-type", "text/event-stream"], ["request-id", "req_1"]]

    /// Starts a call and answers its one request; gives what was sent, how it ended, and what was emitted.
    private func call(
        _ operation: String = "ai.generate", input: JSON = input, status: Int64 = 200,
        headers: [[JSON]] = eventStream, body: String
    ) async throws -> (sent: FakeHost.Sent?, status: Int, result: JSON, chunks: [String]) {
        let host = try #require(
            FakeHost(library: "Claude", configuration: ["base_url": "http://127.0.0.1:9/anthropic"]))
        defer { host.destroy() }
        #expect(host.start(operation, input: input) == AIB_OK)
        var sent: FakeHost.Sent?
        for await event in host.events {
            switch event {
            case .request(let request):
                #expect(sent == nil, "one request a call")
                sent = request
                host.answer(request, status: status, headers: headers, body: body)
            case .timer: Issue.record("no timer is to be set")
            case .refusedChunk: Issue.record("the window is open")
            case .completed(let status, let result): return (sent, Int(status), result, host.chunks)
            }
        }
        throw CancellationError()
    }

    /// Starts a call, does what the test says with its request, and gives how it ended.
    private func call(
        window: Int? = nil, answering answer: (FakeHost, FakeHost.Sent) -> Void,
        onRefusedChunk: (FakeHost) -> Void = { _ in Issue.record("the window is open") }
    ) async throws -> (host: FakeHost, status: Int, result: JSON) {
        let host = try #require(FakeHost(library: "Claude", configuration: ["base_url": "http://127.0.0.1:9"]))
        defer { host.destroy() }
        host.window = window
        #expect(host.start("ai.generate", input: Self.input) == AIB_OK)
        for await event in host.events {
            switch event {
            case .request(let sent): answer(host, sent)
            case .timer: Issue.record("no timer is to be set")
            case .refusedChunk: onRefusedChunk(host)
            case .completed(let status, let result): return (host, Int(status), result)
            }
        }
        throw CancellationError()
    }

    @Test func generatesAnswersAndEmitsAsItGoes() async throws {
        let (sent, status, result, chunks) = try await call(body: RecordedStream.text)
        #expect(sent?.url == "http://127.0.0.1:9/anthropic/v1/messages")
        #expect(sent?.headers["x-api-key"] == "{{secret:ANTHROPIC_API_KEY}}")
        #expect(sent?.headers["x-aibackend-call-id"] == "call-7")
        #expect(sent?.body["model"]?.stringValue == Settings.fallbackModel)
        #expect(status == AIB_OK)
        #expect(result["text"] == "Grüße, 世界 👋")
        #expect(result["provider_request_id"] == "req_1")
        #expect(chunks.count == 5)
        #expect(chunks[1...2] == ["Grüße, ", "世界 👋"])
        #expect(chunks.last?.contains("\"output_tokens\":15") == true)
    }

    @Test func passesARefusalOn() async throws {
        let (_, status, error, _) = try await call(
            status: 429, headers: [["retry-after", "2"], ["request-id", "req_2"]],
            body: #"{"type":"error","error":{"type":"rate_limit_error","message":"Slow down"}}"#)
        #expect(status == AIB_E_LIMIT)
        #expect(error["retryable"] == true)
        #expect(error["retry_after_ms"] == 2000)
        #expect(error["status"] == 429)
        #expect(error["provider_request_id"] == "req_2")
        #expect(error["message"]?.stringValue?.contains("Slow down") == true)
    }

    /// A body that goes on for ever is left as soon as there is enough of it.
    @Test func readsNoMoreOfARefusalThanItNeeds() async throws {
        let (host, status, error) = try await call { host, sent in
            host.head(sent, status: 502, headers: [])
            for _ in 0..<4 { host.data(sent, String(repeating: "x", count: ProviderFailure.bodyLimit / 4)) }
        }
        #expect(status == AIB_E_UPSTREAM)
        #expect(error["status"] == 502)
        #expect(error["message"]?.stringValue?.utf8.count ?? .max < 400)
        #expect(host.aborted == [1])
    }

    @Test func refusesAPageInsteadOfAStream() async throws {
        let (_, status, error, _) = try await call(headers: [["content-type", "text/html"]], body: "<html>")
        #expect(status == AIB_E_UPSTREAM)
        #expect(error["retryable"] == false)
        #expect(error["status"] == nil, "an answer that began well may have been charged")
    }

    /// Some gateways take no notice of `stream`.
    @Test func readsAMessageThatWasNotStreamed() async throws {
        let message = #"""
            {"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-5-5-20260801",
             "content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"Grüße, "},{"type":"text","text":"👋"}],
             "stop_reason":"end_turn","usage":{"input_tokens":25,"output_tokens":15,"cache_read_input_tokens":4000}}
            """#
        let headers: [[JSON]] = [["content-type", "application/json; charset=utf-8"], ["request-id", "req_3"]]
        let (_, status, result, chunks) = try await call(headers: headers, body: message)
        #expect(status == AIB_OK)
        #expect(result["text"] == "Grüße, 👋")
        #expect(result["model"] == "claude-sonnet-5-5-20260801")
        #expect(result["usage"]?["output_tokens"] == 15)
        #expect(result["usage"]?["cache_read_tokens"] == 4000)
        #expect(result["raw_usage"]?["cache_read_input_tokens"] == 4000)
        #expect(result["provider_request_id"] == "req_3")
        #expect(chunks.count == 3 && chunks[1...] == ["Grüße, ", "👋"])
    }

    /// Whatever else comes with status 200 is not taken for an answer that cost nothing.
    @Test(arguments: [#"{"ok":true}"#, "not JSON", #"{"type":"message","content":[],"stop_reason":"end_turn"}"#])
    func anUnreadableMessageHasNoStatusAndNoUsage(body: String) async throws {
        let (_, status, error, _) = try await call(headers: [["content-type", "application/json"]], body: body)
        #expect(status == AIB_E_UPSTREAM)
        #expect(error["status"] == nil && error["usage"] == nil && error["usage_is_final"] == nil)
    }

    /// The provider stated its usage, then the connection broke: both came before the plugin ran.
    @Test func aFailureRightAfterDataKeepsTheUsage() async throws {
        let (_, status, error) = try await call { host, sent in
            host.head(sent, headers: Self.eventStream)
            host.data(sent, RecordedStream.start)
            host.fail(sent, "connection reset")
        }
        #expect(status == AIB_E_UPSTREAM)
        #expect(error["message"] == "connection reset")
        #expect(error["usage"]?["cache_read_tokens"] == 4000)
        #expect(error["raw_usage"]?["cache_read_input_tokens"] == 4000)
        #expect(error["usage_is_final"] == nil)
        #expect(error["provider_request_id"] == "req_1")
    }

    @Test func doesNotWaitForTheConnectionsEnd() async throws {
        let (host, status, result) = try await call { host, sent in
            host.head(sent, headers: Self.eventStream)
            host.data(sent, RecordedStream.text)
        }
        #expect(status == AIB_OK)
        #expect(result["stop_reason"] == "end_turn")
        #expect(host.aborted == [1])
    }

    @Test func aFullWindowHoldsItBackAndLosesNothing() async throws {
        let (host, status, _) = try await call(window: 2) { host, sent in
            host.answer(sent, status: 200, headers: Self.eventStream, body: RecordedStream.text)
        } onRefusedChunk: { host in
            host.window = 1
            host.writable()
        }
        #expect(status == AIB_OK)
        #expect(host.chunks.count == 5)
        #expect(host.chunks[1...2] == ["Grüße, ", "世界 👋"])
    }

    @Test func aCancelEndsItsWaitingForTheWindow() async throws {
        let (host, status, error) = try await call(window: 1) { host, sent in
            host.head(sent, headers: Self.eventStream)
            host.data(sent, RecordedStream.text)
        } onRefusedChunk: {
            $0.cancel()
        }
        #expect(status == AIB_E_CANCELLED)
        #expect(error["usage"]?["input_tokens"] == 25, "what was used until then is told")
        #expect(host.aborted == [1])
    }

    @Test func aCancelEndsItsWaitingForTheAnswer() async throws {
        let (host, status, _) = try await call { host, _ in host.cancel() }
        #expect(status == AIB_E_CANCELLED)
        #expect(host.aborted == [1])
    }

    @Test func sendsNothingForABadCall() async throws {
        let unknown = try await call("ai.dream", body: "")
        #expect(unknown.sent == nil)
        #expect(unknown.status == AIB_E_UNSUPPORTED)
        let invalid = try await call(input: ["messages": []], body: "")
        #expect(invalid.sent == nil)
        #expect(invalid.status == AIB_E_INVALID)
    }

    @Test func doesNotStartWithABadConfiguration() {
        #expect(FakeHost(library: "Claude", configuration: ["base_url": "nowhere"]) == nil)
    }
}
