import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting

@testable import Sandbox

extension SandboxClient {
    static let responses = "/openai/v1/responses"
    static let goodOpenAIHeaders = ["authorization": "Bearer sk-test-key", "content-type": "application/json"]

    /// Sends a Responses request with a good key.
    func response(_ body: JSON, headers: [String: String] = [:]) async throws -> TestResponse {
        try await call(.post, Self.responses, body, headers: Self.goodOpenAIHeaders.merging(headers) { $1 })
    }
}

extension TestResponse {
    /// The text that the deltas of an OpenAI stream add up to.
    var streamedResponseText: String {
        get throws {
            try events.filter { $0.name == "response.output_text.delta" }.compactMap { $0.data["delta"]?.stringValue }
                .joined()
        }
    }
}

extension JSON {
    /// The text of a response's message.
    var responseText: String? {
        self["output"]?.arrayValue?.first { $0["type"] == "message" }?["content"]?.arrayValue?.first?["text"]?
            .stringValue
    }
}

/// A good request; members given here replace or (null) remove its own.
func responsesBody(_ changes: JSON = [:]) -> JSON {
    var body = JSONObject()
    body["model"] = "gpt-5.3-codex"
    body["max_output_tokens"] = 1000
    body["store"] = false
    body["input"] = [["role": "user", "content": "Plan a bakery shop"]]
    for member in changes.objectValue?.members ?? [] {
        body[member.key] = member.value.isNull ? nil : member.value
    }
    return .object(body)
}

func textFormat(_ schema: JSON, name: JSON = "answer") -> JSON {
    ["format": ["type": "json_schema", "name": name, "strict": true, "schema": schema]]
}
