import Domain

/// The body of a request to the Messages API, checked as the service checks it.
struct MessagesRequest: Sendable {
    /// A stretch of the prompt, in the order in which the cache sees it.
    struct Block: Sendable, Hashable {
        let role: String
        let text: String
        /// Set where a cached prefix ends.
        let cacheLifetime: PromptCache.Lifetime?
    }

    let model: String
    /// Nil for `count_tokens`, which takes none.
    let maximumTokens: Int?
    let isStreamed: Bool
    let stopSequences: [String]
    let outputSchema: JSON?
    let blocks: [Block]

    /// What the service takes at the top level.
    /// https://docs.anthropic.com/en/api/messages
    private static let members: Set<String> = [
        "model", "max_tokens", "messages", "system", "stream", "stop_sequences", "temperature", "top_p", "top_k",
        "metadata", "tools", "tool_choice", "thinking", "output_config", "cache_control", "service_tier", "container",
        "inference_geo", "speed", "diagnostics", "user_profile_id", "workspace_id",
    ]
    /// What it takes besides where the URL asks for beta features.
    private static let betaMembers: Set<String> = ["context_management", "mcp_servers", "betas", "output_format"]

    /// - Parameter isCount: whether the body is for `count_tokens`.
    init(_ json: JSON, isBeta: Bool = false, isCount: Bool = false) throws(AnthropicRefusal) {
        guard let object = json.objectValue else { throw .invalid("Input should be a valid dictionary") }
        for key in object.keys where !Self.members.contains(key) && !(isBeta && Self.betaMembers.contains(key)) {
            throw .invalid("\(key): Extra inputs are not permitted")
        }
        let reader = MessagesReader(object)
        model = try reader.model()
        if isCount {
            maximumTokens = nil
        } else {
            maximumTokens = try reader.maximumTokens()
        }
        isStreamed = try reader.flag("stream") ?? false
        stopSequences = try reader.stopSequences()
        outputSchema = try reader.outputSchema()
        try reader.checkOptions(maximumTokens: maximumTokens)
        let system = try reader.system()
        blocks = try reader.withAutomaticBreakpoint(system + reader.messages())
        try Self.checkBreakpoints(blocks)
    }

    private static func checkBreakpoints(_ blocks: [Block]) throws(AnthropicRefusal) {
        let lifetimes = blocks.compactMap(\.cacheLifetime)
        guard lifetimes.count <= 4 else {
            throw .invalid("A maximum of 4 blocks with cache_control may be provided. Found \(lifetimes.count).")
        }
        if let first = lifetimes.firstIndex(of: .fiveMinutes), lifetimes[first...].contains(.oneHour) {
            throw .invalid(
                "A ttl='1h' cache_control block must not come after a ttl='5m' cache_control block.")
        }
    }

    /// All that the model reads, as one text.
    var prompt: String { blocks.map(\.text).joined(separator: "\n") }

    /// The last thing the user said.
    var question: String { blocks.last { $0.role == "user" }?.text ?? "" }
}
