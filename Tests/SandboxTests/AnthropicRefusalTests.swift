import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Sandbox

@Suite(.timeLimit(.minutes(1))) struct AnthropicRefusalTests {
    /// The shape every error has.
    private static func expect(
        _ response: TestResponse, status: Int, type: String, message: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let json = try response.json
        #expect(response.status.code == status, sourceLocation: sourceLocation)
        #expect(json["type"] == "error", sourceLocation: sourceLocation)
        #expect(json["error"]?["type"]?.stringValue == type, sourceLocation: sourceLocation)
        #expect(
            json["error"]?["message"]?.stringValue?.contains(message) == true, "\(response.text)",
            sourceLocation: sourceLocation)
        #expect(response.header("request-id") != nil, sourceLocation: sourceLocation)
        #expect(json["request_id"]?.stringValue == response.header("request-id"), sourceLocation: sourceLocation)
    }

    @Test func refusesBadBodies() async throws {
        let user: JSON = ["role": "user", "content": "x"]
        let cached: JSON = ["type": "text", "text": "x", "cache_control": ["type": "ephemeral"]]
        let cases: [(JSON, String)] = [
            ([], "valid dictionary"),
            (body(["frobnicate": 1]), "frobnicate: Extra inputs are not permitted"),
            (body(["model": .null]), "model: Field required"),
            (body(["model": 3]), "model: Input should be a valid string"),
            (body(["max_tokens": .null]), "max_tokens: Field required"),
            (body(["max_tokens": "many"]), "max_tokens: Input should be a valid integer"),
            (body(["max_tokens": 0]), "max_tokens: Input should be greater than or equal to 1"),
            (body(["messages": .null]), "messages: Field required"),
            (body(["messages": "hi"]), "messages: Input should be a valid list"),
            (body(["messages": []]), "messages: at least one message is required"),
            (body(["messages": [["role": "tool", "content": "x"]]]), "messages.0.role: Input should be"),
            (body(["messages": [["content": "x"]]]), "messages.0.role: Field required"),
            (body(["messages": [user, ["role": "assistant"]]]), "messages.1.content: Field required"),
            (body(["messages": [["role": "assistant", "content": "x"]]]), "first message must use the \"user\" role"),
            (body(["messages": [["role": "user", "content": ""]]]), "text content blocks must be non-empty"),
            (body(["messages": [["role": "user", "content": 7]]]), "messages.0.content: Input should be"),
            (body(["messages": [["role": "user", "content": [["text": "x"]]]]]), "messages.0.content.0.type: Field"),
            (body(["messages": [["role": "user", "content": [["type": "text"]]]]]), "0.text.text: Field required"),
            (body(["system": [["type": "text", "text": "x", "y": 1]]]), "system.0.text.y: Extra inputs"),
            (
                body(["system": [["type": "text", "text": "x", "cache_control": ["type": "ephemeral", "ttl": "2h"]]]]),
                "ephemeral.ttl: Input should be '5m' or '1h'"
            ),
            (body(["system": [cached, cached, cached, cached, cached]]), "A maximum of 4 blocks"),
            (
                body([
                    "system": [cached],
                    "messages": [
                        [
                            "role": "user",
                            "content": [
                                ["type": "text", "text": "x", "cache_control": ["type": "ephemeral", "ttl": "1h"]]
                            ],
                        ]
                    ],
                ]), "must not come after"
            ),
            (body(["stream": "yes"]), "stream: Input should be a valid boolean"),
            (body(["stop_sequences": [" "]]), "non-whitespace"),
            (body(["temperature": 2]), "temperature: range: 0..1"),
            (body(["thinking": ["type": "enabled", "budget_tokens": 2000]]), "must be greater than"),
            (body(["output_config": ["style": 1]]), "output_config.style: Extra inputs"),
            (body(["output_config": ["format": ["type": "xml"]]]), "output_config.format.type"),
            (body(["output_config": ["format": ["type": "json_schema"]]]), "format.schema: Field required"),
            (body(["output_config": outputConfig(["type": "object"])]), "'additionalProperties' must be explicitly"),
            (body(["output_config": outputConfig([:])]), "must have a 'type'"),
            (body(["output_config": outputConfig(["type": "integer", "minimum": 1])]), "'minimum' is not supported"),
            (
                body(["output_config": outputConfig(["type": "array", "items": ["type": "null"], "minItems": 3])]),
                "'minItems' values other than 0 or 1"
            ),
            (body(["output_config": outputConfig(["$ref": "https://example.com"])]), "External $ref"),
            (
                body(["output_config": outputConfig(["$ref": "#/$defs/A", "$defs": ["A": ["$ref": "#/$defs/A"]]])]),
                "Circular reference"
            ),
        ]
        try await withSandbox { client in
            for (body, message) in cases {
                try Self.expect(
                    await client.message(body), status: 400, type: "invalid_request_error", message: message)
            }
            let states = Set(try await client.ledger().map { "\($0["state"]?.text ?? "") \($0["status"]?.text ?? "")" })
            #expect(states == ["\"finished\" 400"])
        }
    }

    @Test func refusesByHeaderPathAndMethod() async throws {
        let good = SandboxClient.goodHeaders
        @Sendable func without(_ name: String) -> [String: String] { good.filter { $0.key != name } }
        @Sendable func with(_ name: String, _ value: String) -> [String: String] { good.merging([name: value]) { $1 } }
        let cases: [(HTTPRequest.Method, String, [String: String], Int, String, String)] = [
            (.post, "/messages", without("x-api-key"), 401, "authentication_error", "x-api-key header is required"),
            (.post, "/messages", with("x-api-key", "wrong"), 401, "authentication_error", "invalid x-api-key"),
            (.post, "/messages", without("anthropic-version"), 400, "invalid_request_error", "anthropic-version"),
            (.post, "/messages", with("anthropic-version", "1"), 400, "invalid_request_error", "not a valid version"),
            (.post, "/messages", with("content-type", "text/plain"), 400, "invalid_request_error", "content-type"),
            (.put, "/messages", good, 405, "invalid_request_error", "Method Not Allowed"),
            (.post, "/complete", good, 404, "not_found_error", "Not Found"),
        ]
        try await withSandbox(keys: .only(["sk-ant-test-key"])) { client in
            for (method, path, headers, status, type, message) in cases {
                let response = try await client.call(method, "/anthropic/v1\(path)", body(), headers: headers)
                try Self.expect(response, status: status, type: type, message: message)
            }
            let bearer = without("x-api-key").merging(["authorization": "Bearer sk-ant-test-key"]) { $1 }
            let response = try await client.call(.post, SandboxClient.messages, body(), headers: bearer)
            #expect(response.status == .ok)
        }
    }

    @Test func refusesUnknownModelsBrokenJSONAndHugeBodies() async throws {
        try await withSandbox { client in
            let unknown = try await client.message(body(["model": "claude-2"]))
            #expect(unknown.status == .notFound)
            #expect(try unknown.json["error"]?["message"] == "model: claude-2")
            let broken = try await client.http.execute(
                uri: SandboxClient.messages, method: .post, headers: SandboxClient.fields(SandboxClient.goodHeaders),
                body: ByteBuffer(string: "{\"model\":"))
            #expect(broken.status == .badRequest)
            #expect(try broken.json["error"]?["message"]?.stringValue?.contains("not valid JSON") == true)
            let huge = try await client.http.execute(
                uri: SandboxClient.messages, method: .post, headers: SandboxClient.fields(SandboxClient.goodHeaders),
                body: ByteBuffer(repeating: 0x20, count: AnthropicRoutes.bodyLimit + 1))
            #expect(huge.status == .contentTooLarge)
            #expect(try huge.json["error"]?["type"] == "request_too_large")
        }
    }

    @Test func countsAgainstItsRateLimit() async throws {
        let clock = ManualClock()
        try await withSandbox(rateLimits: RateLimits(requestsPerMinute: 2), wallClock: clock) { client in
            let first = try await client.message(body())
            #expect(first.header("anthropic-ratelimit-requests-limit") == "2")
            #expect(first.header("anthropic-ratelimit-requests-remaining") == "1")
            #expect(first.header("anthropic-ratelimit-tokens-reset") == "2027-01-15T08:01:00.000Z")
            #expect(try await client.message(body()).status == .ok)
            let refused = try await client.message(body())
            #expect(refused.status == .tooManyRequests)
            #expect(try refused.json["error"]?["type"] == "rate_limit_error")
            #expect(refused.header("retry-after") == "60")
            clock.advance(by: .seconds(60))
            #expect(try await client.message(body()).status == .ok)
        }
    }
}
