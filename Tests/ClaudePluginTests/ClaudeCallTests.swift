import PluginKit
import Testing

@testable import ClaudePlugin

/// Whole calls, through the exported symbol.
@Suite(.timeLimit(.minutes(1))) struct ClaudeCallTests {
    private static let input: JSON = [
        "messages": [["role": "user", "content": "Greet the world."]], "max_output_tokens": 100,
    ]

    /// Starts a call and answers its one request; gives what was sent, how it ended, and what was emitted.
    private func call(
        _ operation: String = "ai.generate", input: JSON = input, status: Int64 = 200,
        headers: [[JSON]] = [["content-type", "text/event-stream"], ["request-id", "req_1"]], body: String
    ) async throws -> (sent: FakeHost.Sent?, status: Int, result: JSON, chunks: [String]) {
        let host = try #require(FakeHost(configuration: ["base_url": "http://127.0.0.1:9/anthropic"]))
        defer { host.destroy() }
        #expect(host.start(operation, input: input) == AIB_OK)
        var sent: FakeHost.Sent?
        for await event in host.events {
            switch event {
            case .request(let request):
                #expect(sent == nil, "one request a call")
                sent = request
                host.answer(request, status: status, headers: headers, body: body)
            case .completed(let status, let result): return (sent, Int(status), result, host.chunks)
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

    @Test func readsNoMoreOfARefusalThanItNeeds() async throws {
        let (_, status, error, _) = try await call(
            status: 502, headers: [], body: String(repeating: "x", count: 3 * ProviderFailure.bodyLimit))
        #expect(status == AIB_E_UPSTREAM)
        #expect(error["message"]?.stringValue?.utf8.count ?? .max < 400)
    }

    @Test func refusesAPageInsteadOfAStream() async throws {
        let (_, status, error, _) = try await call(headers: [["content-type", "text/html"]], body: "<html>")
        #expect(status == AIB_E_UPSTREAM)
        #expect(error["retryable"] == false)
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
        #expect(FakeHost(configuration: ["base_url": "nowhere"]) == nil)
    }
}
