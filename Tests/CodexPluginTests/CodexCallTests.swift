import PluginKit
import PluginTestHost
import Testing

@testable import CodexPlugin

/// Whole calls, through the exported symbol.
@Suite(.timeLimit(.minutes(1))) struct CodexCallTests {
    private static let input: JSON = [
        "messages": [["role": "user", "content": "Greet the world."]], "max_output_tokens": 100,
    ]
    private static let eventStream: [[JSON]] = [["content-type", "text/event-stream"], ["x-request-id", "req_1"]]

    /// Starts a call, does what the test says with its requests, and gives how it ended.
    private func call(
        _ operation: String = "ai.generate", input: JSON = input, window: Int? = nil,
        answering answer: (FakeHost, FakeHost.Sent) -> Void = { _, _ in Issue.record("nothing is to be sent") },
        onRefusedChunk: (FakeHost) -> Void = { _ in Issue.record("the window is open") }
    ) async throws -> (host: FakeHost, sent: [FakeHost.Sent], status: Int, result: JSON) {
        let host = try #require(
            FakeHost(library: "Codex", configuration: ["base_url": "http://127.0.0.1:9/openai"]))
        defer { host.destroy() }
        host.window = window
        #expect(host.start(operation, input: input) == AIB_OK)
        var sent: [FakeHost.Sent] = []
        for await event in host.events {
            switch event {
            case .request(let request):
                sent.append(request)
                answer(host, request)
            case .timer: Issue.record("no timer is to be set")
            case .refusedChunk: onRefusedChunk(host)
            case .completed(let status, let result): return (host, sent, Int(status), result)
            }
        }
        throw CancellationError()
    }

    @Test func `it answers with one request and emits as it goes`() async throws {
        let (host, sent, status, result) = try await call { host, sent in
            host.answer(sent, status: 200, headers: Self.eventStream, body: RecordedStream.text)
        }
        #expect(sent.count == 1 && sent.first?.method == "POST")
        #expect(sent.first?.url == "http://127.0.0.1:9/openai/v1/responses")
        #expect(sent.first?.headers["authorization"] == "Bearer {{secret:OPENAI_API_KEY}}")
        #expect(sent.first?.headers["x-client-request-id"] == "call-7")
        #expect(sent.first?.body["model"]?.stringValue == Settings.fallbackModel)
        #expect(status == AIB_OK)
        #expect(result["text"] == "Grüße, 世界 👋")
        #expect(result["usage"] == AnswerTests.finalUsage)
        #expect(result["provider_request_id"] == "req_1")
        #expect(host.chunks.count == 3 && host.chunks.prefix(2) == ["Grüße, ", "世界 👋"])
        #expect(host.chunks.last?.contains("\"cache_read_tokens\":4000") == true)
    }

    @Test func `a refusal is passed on`() async throws {
        let (_, _, status, error) = try await call { host, sent in
            host.answer(
                sent, status: 429, headers: [["retry-after", "2"], ["x-request-id", "req_2"]],
                body: #"{"error":{"message":"Slow down","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#)
        }
        #expect(status == AIB_E_LIMIT)
        #expect(error["retryable"] == true && error["retry_after_ms"] == 2000 && error["status"] == 429)
        #expect(error["provider_request_id"] == "req_2")
        #expect(error["message"]?.stringValue?.contains("Slow down") == true)
    }

    /// A body that goes on for ever is left as soon as there is enough of it.
    @Test func `no more of a refusal is read than is needed`() async throws {
        let (host, _, status, error) = try await call { host, sent in
            host.head(sent, status: 502, headers: [])
            for _ in 0..<4 { host.data(sent, String(repeating: "x", count: ProviderFailure.bodyLimit / 4)) }
        }
        #expect(status == AIB_E_UPSTREAM && error["status"] == 502)
        #expect(error["message"]?.stringValue?.utf8.count ?? .max < 400)
        #expect(host.aborted == [1])
    }

    @Test func `a page instead of a stream has no status, for it may have been charged`() async throws {
        let (_, _, status, error) = try await call { host, sent in
            host.answer(sent, status: 200, headers: [["content-type", "text/html"]], body: "<html>")
        }
        #expect(status == AIB_E_UPSTREAM && error["retryable"] == false && error["status"] == nil)
    }

    /// Some gateways take no notice of `stream`.
    @Test func `a response that was not streamed is read too`() async throws {
        let (host, _, status, result) = try await call { host, sent in
            host.answer(
                sent, status: 200, headers: [["content-type", "application/json"], ["x-request-id", "req_3"]],
                body: RecordedStream.completed)
        }
        #expect(status == AIB_OK)
        #expect(result["text"] == "Grüße, 世界 👋" && result["usage"] == AnswerTests.finalUsage)
        #expect(result["provider_request_id"] == "req_3")
        #expect(host.chunks.count == 2 && host.chunks.last == "Grüße, 世界 👋")
    }

    /// Whatever else comes with status 200 is not taken for an answer that cost nothing.
    @Test(arguments: [
        #"{"ok":true}"#, "not JSON", #"{"object":"response","status":"completed","output":[]}"#,
        #"{"object":"response","status":"queued"}"#,
        #"{"error":{"message":"m","type":"server_error","param":null,"code":null}}"#,
    ])
    func `an unreadable response has no status and no usage`(body: String) async throws {
        let (_, _, status, error) = try await call { host, sent in
            host.answer(sent, status: 200, headers: [["content-type", "application/json"]], body: body)
        }
        #expect(status == AIB_E_UPSTREAM)
        #expect(error["status"] == nil && error["usage"] == nil && error["usage_is_final"] == nil)
    }

    @Test func `a connection that breaks after data leaves the usage unknown`() async throws {
        let (_, _, status, error) = try await call { host, sent in
            host.head(sent, headers: Self.eventStream)
            host.data(sent, RecordedStream.created + RecordedStream.delta("Grüße"))
            host.fail(sent, "connection reset")
        }
        #expect(status == AIB_E_UPSTREAM && error["message"] == "connection reset" && error["retryable"] == true)
        #expect(error["usage"] == nil && error["usage_is_final"] == nil && error["status"] == nil)
        #expect(error["provider_request_id"] == "req_1")
    }

    @Test func `an incomplete answer's usage is final`() async throws {
        let (_, _, status, error) = try await call { host, sent in
            host.answer(
                sent, status: 200, headers: Self.eventStream,
                body: RecordedStream.created
                    + RecordedStream.end("incomplete", ["incomplete_details": ["reason": "max_output_tokens"]]))
        }
        #expect(status == AIB_E_LIMIT && error["retryable"] == false)
        #expect(error["usage"]?["output_tokens"] == 9 && error["usage_is_final"] == true)
        #expect(error["raw_usage"] == RecordedStream.usage)
    }

    @Test func `it does not wait for the connection's end`() async throws {
        let (host, _, status, _) = try await call { host, sent in
            host.head(sent, headers: Self.eventStream)
            host.data(sent, RecordedStream.text)
        }
        #expect(status == AIB_OK && host.aborted == [1])
    }

    @Test func `a full window holds it back and loses nothing`() async throws {
        let (host, _, status, _) = try await call(window: 1) { host, sent in
            host.answer(sent, status: 200, headers: Self.eventStream, body: RecordedStream.text)
        } onRefusedChunk: { host in
            host.window = 1
            host.writable()
        }
        #expect(status == AIB_OK)
        #expect(host.chunks.count == 3 && host.chunks.prefix(2) == ["Grüße, ", "世界 👋"])
    }

    @Test func `a cancel ends its waiting for the window and for the answer`() async throws {
        let window = try await call(window: 1) { host, sent in
            host.head(sent, headers: Self.eventStream)
            host.data(sent, RecordedStream.text)
        } onRefusedChunk: {
            $0.cancel()
        }
        #expect(window.status == AIB_E_CANCELLED && window.host.aborted == [1])
        let answer = try await call { host, _ in host.cancel() }
        #expect(answer.status == AIB_E_CANCELLED && answer.host.aborted == [1])
    }

    @Test func `nothing is sent for a bad call`() async throws {
        #expect(try await call("ai.dream").status == AIB_E_UNSUPPORTED)
        #expect(try await call(input: ["messages": []]).status == AIB_E_INVALID)
    }

    @Test func `it does not start with a bad configuration`() {
        #expect(FakeHost(library: "Codex", configuration: ["base_url": "nowhere"]) == nil)
    }
}
