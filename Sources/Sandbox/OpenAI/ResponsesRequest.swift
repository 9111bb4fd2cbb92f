import Domain

/// The body of a request to the Responses API, checked as the service checks it.
struct ResponsesRequest: Sendable {
    /// A stretch of the prompt, in the order in which the model reads it.
    struct Part: Sendable, Hashable {
        let role: String
        let text: String
    }

    let model: String
    let isStreamed: Bool
    let maximumOutputTokens: Int?
    /// The schema of a structured answer.
    let outputSchema: JSON?
    /// Whether the model is to think before it answers.
    let thinks: Bool
    let parts: [Part]
    /// What the response repeats of the request.
    let echo: JSONObject

    /// What the service takes at the top level, and `client_metadata`, which OpenAI's own command line sends.
    /// https://platform.openai.com/docs/api-reference/responses/create
    private static let members: Set<String> = [
        "model", "input", "instructions", "max_output_tokens", "stream", "stream_options", "store", "text", "reasoning",
        "metadata", "temperature", "top_p", "top_logprobs", "tools", "tool_choice", "parallel_tool_calls",
        "max_tool_calls", "include", "previous_response_id", "conversation", "prompt", "background", "service_tier",
        "truncation", "user", "safety_identifier", "prompt_cache_key", "prompt_cache_options",
        "prompt_cache_retention", "moderation", "context_management", "client_metadata",
    ]

    init(_ json: JSON) throws(OpenAIRefusal) {
        guard let object = json.objectValue else {
            throw .invalid("Invalid request body: expected an object, but got \(json.typeName) instead.")
        }
        if let stray = object.keys.first(where: { !Self.members.contains($0) }) { throw .unknown(stray) }
        let reader = ResponsesReader(object)
        model = try reader.requiredText("model")
        isStreamed = try reader.flag("stream") ?? false
        maximumOutputTokens = try reader.count("max_output_tokens", atLeast: 16)
        outputSchema = try reader.outputSchema()
        thinks = try reader.effort() != "none"
        try reader.checkOptions(isStreamed: isStreamed)
        let instructions = try reader.text("instructions").map { [Part(role: "developer", text: $0)] } ?? []
        parts = instructions + (try reader.parts())
        echo = reader.echo
    }

    /// All that the model reads, as one text.
    var prompt: String { parts.map(\.text).joined(separator: "\n") }

    /// The last thing the user said.
    var question: String { parts.last { $0.role == "user" }?.text ?? "" }
}
