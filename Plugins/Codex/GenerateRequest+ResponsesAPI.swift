import PluginKit

// The request as the Responses API takes it: https://platform.openai.com/docs/api-reference/responses/create
extension GenerateRequest {
    /// The name under which the operator stores the key; the host puts its value in place of the reference.
    static let keyName = "OPENAI_API_KEY"

    /// The request to send.
    ///
    /// - Parameters:
    ///   - url: the Responses endpoint.
    ///   - callID: the host's id of the call, which the provider's side of the ledger is matched by: OpenAI keeps it in
    ///     its own logs.
    func httpRequest(to url: String, callID: String) -> HTTPRequest {
        HTTPRequest(
            method: "POST", url: url,
            headers: [
                ("authorization", "Bearer {{secret:\(Self.keyName)}}"), ("content-type", "application/json"),
                ("accept", "text/event-stream"), ("x-client-request-id", callID),
            ],
            body: .bytes(body.bytes))
    }

    /// The body, always streamed: a long answer outlives the idle limits of the proxies on its way. The provider keeps
    /// nothing of it (`store`), and caches long prompts without being asked to.
    var body: JSON {
        var body = JSONObject()
        body["model"] = .string(model)
        body["max_output_tokens"] = .integer(maximumOutputTokens)
        body["stream"] = true
        body["store"] = false
        // The price table has this tier's prices, whatever the account's project is set to.
        body["service_tier"] = "default"
        if let system { body["instructions"] = .string(system) }
        body["input"] = .array(
            messages.map { ["role": .string($0.role.rawValue), "content": .string($0.content)] })
        if let outputSchema {
            body["text"] = [
                "format": [
                    "type": "json_schema", "name": "answer", "strict": true,
                    "schema": StructuredOutput(outputSchema).schema,
                ]
            ]
        }
        return .object(body)
    }
}
