import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Sandbox

@Suite(.timeLimit(.minutes(1))) struct OpenAIRefusalTests {
    /// The shape every error has.
    private static func expect(
        _ response: TestResponse, status: Int, code: String?, param: String? = nil, message: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let error = try response.json["error"]
        #expect(response.status.code == status, sourceLocation: sourceLocation)
        #expect(error?.objectValue?.keys == ["message", "type", "param", "code"], sourceLocation: sourceLocation)
        #expect(error?["code"] == code.map(JSON.string) ?? .null, "\(response.text)", sourceLocation: sourceLocation)
        #expect(error?["param"] == param.map(JSON.string) ?? .null, "\(response.text)", sourceLocation: sourceLocation)
        #expect(
            error?["message"]?.stringValue?.contains(message) == true, "\(response.text)",
            sourceLocation: sourceLocation)
        #expect(response.header("x-request-id") != nil, sourceLocation: sourceLocation)
    }

    private static let bodies: [(JSON, code: String?, param: String?, message: String)] = [
        ([], nil, nil, "expected an object"),
        (["frobnicate": 1], "unknown_parameter", "frobnicate", "Unknown parameter: 'frobnicate'."),
        (["model": .null], "missing_required_parameter", "model", "Missing required parameter: 'model'."),
        (["model": 3], "invalid_type", "model", "expected a string, but got an integer instead"),
        (["model": "gpt-2"], "model_not_found", "model", "The requested model 'gpt-2' does not exist."),
        (["input": .null], "missing_required_parameter", "input", "must be provided"),
        (["input": 7], "invalid_type", "input", "expected one of a string or an array"),
        (["input": []], "empty_array", "input", "minimum length 1"),
        (["input": ["x"]], "invalid_type", "input[0]", "expected an object"),
        (["input": [["content": "x"]]], "missing_required_parameter", "input[0].role", "input[0].role"),
        (["input": [["role": "tool", "content": "x"]]], "invalid_value", "input[0].role", "Invalid value: 'tool'."),
        (["input": [["role": "user"]]], "missing_required_parameter", "input[0].content", "input[0].content"),
        (["input": [["role": "user", "content": 7]]], "invalid_type", "input[0].content", "a string or an array"),
        (
            ["input": [["role": "user", "content": "x", "name": "y"]]], "unknown_parameter", "input[0].name",
            "Unknown parameter"
        ),
        (
            ["input": [["role": "user", "content": [["type": "text", "text": "x"]]]]], "invalid_value",
            "input[0].content[0].type", "'input_text'"
        ),
        (
            ["input": [["role": "user", "content": [["type": "input_text"]]]]], "missing_required_parameter",
            "input[0].content[0].text", "Missing"
        ),
        (["instructions": ["x"]], "invalid_type", "instructions", "expected a string, but got an array"),
        (["max_output_tokens": 15], "integer_below_min_value", "max_output_tokens", ">= 16, but got 15 instead"),
        (["max_output_tokens": "many"], "invalid_type", "max_output_tokens", "expected an integer"),
        (["stream": "yes"], "invalid_type", "stream", "expected a boolean, but got a string"),
        (["store": 1], "invalid_type", "store", "expected a boolean"),
        (["temperature": 3], "decimal_above_max_value", "temperature", "<= 2.0, but got 3"),
        (["reasoning": ["effort": "wild"]], "invalid_value", "reasoning.effort", "'xhigh'"),
        (["reasoning": ["depth": 1]], "unknown_parameter", "reasoning.depth", "Unknown parameter"),
        (["service_tier": "gold"], "invalid_value", "service_tier", "'default'"),
        (["stream_options": [:]], "unsupported_parameter", "stream_options", "only allowed when 'stream'"),
        (["previous_response_id": "resp_1"], "previous_response_not_found", "previous_response_id", "not found"),
        (["background": true], nil, "background", "not simulated"),
        (["text": ["style": 1]], "unknown_parameter", "text.style", "Unknown parameter"),
        (["text": ["format": ["type": "xml"]]], "invalid_value", "text.format.type", "'json_schema'"),
        (["text": ["format": ["type": "json_schema"]]], "missing_required_parameter", "text.format.name", "Missing"),
        (["text": textFormat([:], name: "no spaces")], "invalid_value", "text.format.name", "does not match"),
        (
            ["text": ["format": ["type": "json_schema", "name": "a"]]], "missing_required_parameter",
            "text.format.schema", "Missing"
        ),
    ]

    @Test func `bad bodies are refused by member, with the service's codes`() async throws {
        try await withSandbox { client in
            for (changes, code, param, message) in Self.bodies {
                let body = changes.objectValue == nil ? changes : responsesBody(changes)
                try Self.expect(
                    await client.response(body), status: 400, code: code, param: param, message: message)
            }
            let states = Set(try await client.ledger().map { "\($0["state"]?.text ?? "") \($0["status"]?.text ?? "")" })
            #expect(states == ["\"finished\" 400"])
        }
    }

    /// A closed object with this one property, required.
    private static func object(_ property: JSON) -> JSON {
        ["type": "object", "properties": ["a": property], "required": ["a"], "additionalProperties": false]
    }

    private static let schemas: [(JSON, String)] = [
        (["type": "array", "items": ["type": "string"]], "schema must be a JSON Schema of 'type: \"object\"'"),
        (["type": "object"], "In context=(), 'additionalProperties' is required"),
        (["type": "object", "additionalProperties": false, "anyOf": []], "'anyOf' is not permitted"),
        (
            ["type": "object", "properties": ["a": ["type": "string"]], "additionalProperties": false],
            "Missing 'a'"
        ),
        (["type": "object", "required": ["a"], "additionalProperties": false], "Extra required key 'a'"),
        (object(["type": "object"]), "In context=('properties', 'a'), 'additionalProperties'"),
        (object([:]), "schema must have a 'type' key"), (object(["enum": ["x"]]), "schema must have a 'type' key"),
        (object(["type": "text"]), "is not valid under any"), (object(true), "is not of type 'object'"),
        (object(["type": "string", "minLength": 1]), "'minLength' is not permitted"),
        (object(["type": "string", "default": "x"]), "'default' is not permitted"),
        (object(["allOf": [], "type": "string"]), "'allOf' is not permitted"),
        (object(["type": "string", "format": "uri"]), "'uri' is not a valid format"),
        (object(["type": "array"]), "array schema missing items"),
        (object(["$ref": "#/$defs/A"]), "can only point to definitions"),
        (object(["$ref": "https://example.com"]), "is not local"),
        (object(["$ref": "#", "description": "d"]), "$ref cannot have keywords {'description'}"),
        ((0..<10).reduce(["type": "string"]) { schema, _ in object(schema) }, ""),
        ((0..<11).reduce(["type": "string"]) { schema, _ in object(schema) }, "nested deeper than 10 levels"),
    ]

    @Test func `strict schemas are held to their rules`() async throws {
        try await withSandbox { client in
            for (schema, message) in Self.schemas where !message.isEmpty {
                try Self.expect(
                    await client.response(responsesBody(["text": textFormat(schema)])), status: 400,
                    code: "invalid_json_schema", param: "text.format.schema", message: message)
            }
            for (schema, message) in Self.schemas where message.isEmpty {
                #expect(try await client.response(responsesBody(["text": textFormat(schema)])).status == .ok)
            }
            let loose: JSON = ["format": ["type": "json_schema", "name": "a", "schema": ["type": "object"]]]
            #expect(try await client.response(responsesBody(["text": loose])).status == .ok, "only strict is strict")
            let recursive = Self.object(["anyOf": [["$ref": "#"], ["type": "null"]]])
            #expect(try await client.response(responsesBody(["text": textFormat(recursive)])).status == .ok)
        }
    }

    @Test func `key, type, path and method are looked at first, and a key is never repeated`() async throws {
        let good = SandboxClient.goodOpenAIHeaders
        @Sendable func with(_ name: String, _ value: String?) -> [String: String] {
            var headers = good
            headers[name] = value
            return headers
        }
        let cases: [(HTTPRequest.Method, String, [String: String], Int, String?, String)] = [
            (.post, "/responses", with("authorization", nil), 401, nil, "You didn't provide an API key"),
            (.post, "/responses", with("authorization", "Basic c2s6"), 401, nil, "You didn't provide an API key"),
            (.post, "/responses", with("authorization", "Bearer sk-wrong"), 401, "invalid_api_key", "Incorrect"),
            (.post, "/responses", with("content-type", "text/plain"), 400, "unsupported_content_type", "json"),
            (.put, "/responses", good, 405, "method_not_supported", "Not allowed to PUT"),
            (.post, "/chat/completions", good, 404, nil, "Invalid URL (POST /v1/chat/completions)"),
        ]
        try await withSandbox(keys: .only(["sk-test-key"])) { client in
            for (method, path, headers, status, code, message) in cases {
                let response = try await client.call(method, "/openai/v1\(path)", responsesBody(), headers: headers)
                try Self.expect(response, status: status, code: code, message: message)
                #expect(!response.text.contains("sk-wrong"))
            }
            #expect(try await client.response(responsesBody()).status == .ok)
            #expect(!(try await client.call(.get, "/ledger").text.contains("sk-")))
        }
    }

    @Test func `broken JSON and huge bodies are refused`() async throws {
        try await withSandbox { client in
            for (body, status, message) in [
                (ByteBuffer(string: "{\"model\":"), 400, "could not parse the JSON body"),
                (ByteBuffer(repeating: 0x20, count: OpenAIRoutes.bodyLimit + 1), 413, "too large"),
            ] {
                let response = try await client.http.execute(
                    uri: SandboxClient.responses, method: .post,
                    headers: SandboxClient.fields(SandboxClient.goodOpenAIHeaders), body: body)
                #expect(response.status.code == status)
                #expect(try response.json["error"]?["message"]?.stringValue?.contains(message) == true)
            }
        }
    }

    @Test func `the rate limit counts by the minute and is OpenAI's own`() async throws {
        let clock = ManualClock()
        try await withSandbox(rateLimits: RateLimits(requestsPerMinute: 2), wallClock: clock) { client in
            let first = try await client.response(responsesBody())
            #expect(first.header("x-ratelimit-limit-requests") == "2")
            #expect(first.header("x-ratelimit-remaining-requests") == "1")
            #expect(first.header("x-ratelimit-reset-tokens") == "60s")
            #expect(try await client.response(responsesBody()).status == .ok)
            let refused = try await client.response(responsesBody())
            try Self.expect(refused, status: 429, code: "rate_limit_exceeded", message: "Rate limit reached")
            #expect(refused.header("retry-after") == "60")
            #expect(try await client.message(body()).status == .ok, "Anthropic counts for itself")
            clock.advance(by: .seconds(60))
            #expect(try await client.response(responsesBody()).status == .ok)
        }
    }
}
