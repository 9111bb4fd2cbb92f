import PluginKit

// The request as the Messages API takes it: https://docs.anthropic.com/en/api/messages
extension GenerateRequest {
    /// The name under which the operator stores the key; the host puts its value in place of the reference.
    static let keyName = "ANTHROPIC_API_KEY"

    /// The request to send.
    ///
    /// - Parameters:
    ///   - url: the Messages endpoint.
    ///   - callID: the host's id of the call, which the provider's side of the ledger is matched by.
    func httpRequest(to url: String, callID: String) -> HTTPRequest {
        HTTPRequest(
            method: "POST", url: url,
            headers: [
                ("x-api-key", "{{secret:\(Self.keyName)}}"), ("anthropic-version", "2023-06-01"),
                ("content-type", "application/json"), ("accept", "text/event-stream"),
                ("x-aibackend-call-id", callID),
            ],
            body: .bytes(body.bytes))
    }

    /// The body, always streamed: a long answer outlives the idle limits of the proxies on its way.
    var body: JSON {
        var body = JSONObject()
        body["model"] = .string(model)
        body["max_tokens"] = .integer(maximumOutputTokens)
        body["stream"] = true
        if let system { body["system"] = cache == nil ? .string(system) : .array([textBlock(system)]) }
        body["messages"] = .array(messages.enumerated().map { index, message in wireMessage(message, at: index) })
        if let outputSchema {
            body["output_config"] = [
                "format": ["type": "json_schema", "schema": StructuredOutput.schema(from: outputSchema)]
            ]
        }
        return .object(body)
    }

    /// The first message carries the long, repeated part of a prompt: its end is where the cached prefix ends.
    private func wireMessage(_ message: GenerateInput.Message, at index: Int) -> JSON {
        let isCached = index == 0 && cache != nil
        return [
            "role": .string(message.role.rawValue),
            "content": isCached ? .array([textBlock(message.content)]) : .string(message.content),
        ]
    }

    /// A text block that ends a cached prefix.
    private func textBlock(_ text: String) -> JSON {
        var block = JSONObject()
        block["type"] = "text"
        block["text"] = .string(text)
        if let cache { block["cache_control"] = ["type": "ephemeral", "ttl": .string(cache.rawValue)] }
        return .object(block)
    }
}
