import Domain

/// Reads the members of a Messages request and refuses what the service refuses, in its words: the path of the
/// member, then the fault.
struct MessagesReader {
    private let object: JSONObject

    init(_ object: JSONObject) { self.object = object }

    /// A member that is present and not null.
    private func member(_ name: String) -> JSON? {
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    func model() throws(AnthropicRefusal) -> String {
        guard let value = object["model"] else { throw .invalid("model: Field required") }
        guard let model = value.stringValue else { throw .invalid("model: Input should be a valid string") }
        guard !model.isEmpty else { throw .invalid("model: String should have at least 1 character") }
        return model
    }

    func maximumTokens() throws(AnthropicRefusal) -> Int {
        guard let value = object["max_tokens"] else { throw .invalid("max_tokens: Field required") }
        guard let count = value.integerValue.flatMap({ Int(exactly: $0) }) else {
            throw .invalid("max_tokens: Input should be a valid integer")
        }
        guard count >= 1 else { throw .invalid("max_tokens: Input should be greater than or equal to 1") }
        return count
    }

    func flag(_ name: String) throws(AnthropicRefusal) -> Bool? {
        guard let value = member(name) else { return nil }
        guard let flag = value.boolValue else { throw .invalid("\(name): Input should be a valid boolean") }
        return flag
    }

    func stopSequences() throws(AnthropicRefusal) -> [String] {
        guard let value = member("stop_sequences") else { return [] }
        guard let list = value.arrayValue else { throw .invalid("stop_sequences: Input should be a valid list") }
        var sequences: [String] = []
        for (index, element) in list.enumerated() {
            guard let text = element.stringValue else {
                throw .invalid("stop_sequences.\(index): Input should be a valid string")
            }
            guard text.contains(where: { !$0.isWhitespace }) else {
                throw .invalid("stop_sequences: each stop sequence must contain non-whitespace")
            }
            sequences.append(text)
        }
        return sequences
    }

    func outputSchema() throws(AnthropicRefusal) -> JSON? {
        guard let config = member("output_config") else { return nil }
        guard let members = config.objectValue else { throw .invalid("output_config: Input should be an object") }
        if let stray = members.keys.first(where: { !["effort", "format", "task_budget"].contains($0) }) {
            throw .invalid("output_config.\(stray): Extra inputs are not permitted")
        }
        if let effort = members["effort"], !effort.isNull,
            !["low", "medium", "high", "xhigh", "max"].contains(effort.stringValue ?? "")
        {
            throw .invalid("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'")
        }
        guard let format = members["format"], !format.isNull else { return nil }
        guard format["type"] == "json_schema" else {
            throw .invalid("output_config.format.type: Input should be 'json_schema'")
        }
        guard let schema = format["schema"] else { throw .invalid("output_config.format.schema: Field required") }
        if let stray = format.objectValue?.keys.first(where: { !["type", "schema"].contains($0) }) {
            throw .invalid("output_config.format.\(stray): Extra inputs are not permitted")
        }
        try OutputSchemaRules(root: schema).check()
        return schema
    }

    /// The members that shape an answer without a trace in this simulator: their types only.
    func checkOptions(maximumTokens: Int?) throws(AnthropicRefusal) {
        for name in ["metadata", "tool_choice", "thinking"] {
            if let value = member(name), value.objectValue == nil {
                throw .invalid("\(name): Input should be an object")
            }
        }
        if let tools = member("tools"), tools.arrayValue == nil {
            throw .invalid("tools: Input should be a valid list")
        }
        for name in ["temperature", "top_p"] {
            guard let value = member(name) else { continue }
            guard let number = value.doubleValue else { throw .invalid("\(name): Input should be a valid number") }
            guard (0...1).contains(number) else { throw .invalid("\(name): range: 0..1") }
        }
        guard let thinking = member("thinking"), thinking["type"] == "enabled" else { return }
        guard let budget = thinking["budget_tokens"]?.integerValue else {
            throw .invalid("thinking.enabled.budget_tokens: Field required")
        }
        guard budget >= 1_024 else {
            throw .invalid("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
        }
        if let maximumTokens, budget >= Int64(maximumTokens) {
            throw .invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")
        }
    }
}

extension MessagesReader {
    typealias Block = MessagesRequest.Block

    func system() throws(AnthropicRefusal) -> [Block] {
        guard let value = member("system") else { return [] }
        return try blocks(value, role: "system", path: "system")
    }

    func messages() throws(AnthropicRefusal) -> [Block] {
        guard let value = object["messages"] else { throw .invalid("messages: Field required") }
        guard let list = value.arrayValue else { throw .invalid("messages: Input should be a valid list") }
        guard !list.isEmpty else { throw .invalid("messages: at least one message is required") }
        var blocks: [Block] = []
        for (index, message) in list.enumerated() {
            guard message.objectValue != nil else {
                throw .invalid("messages.\(index): Input should be a valid dictionary")
            }
            guard let role = message["role"] else { throw .invalid("messages.\(index).role: Field required") }
            guard let role = role.stringValue, ["user", "assistant", "system"].contains(role) else {
                throw .invalid("messages.\(index).role: Input should be 'user', 'assistant' or 'system'")
            }
            if index == 0, role == "assistant" {
                throw .invalid("messages: first message must use the \"user\" role")
            }
            guard let content = message["content"] else { throw .invalid("messages.\(index).content: Field required") }
            // A system message may be empty: command-line clients send one to carry options.
            if role == "system", content.arrayValue?.isEmpty == true { continue }
            blocks += try self.blocks(content, role: role, path: "messages.\(index).content")
        }
        return blocks
    }

    private func blocks(_ value: JSON, role: String, path: String) throws(AnthropicRefusal) -> [Block] {
        if let text = value.stringValue {
            guard !text.isEmpty else { throw .invalid("\(path): text content blocks must be non-empty") }
            return [Block(role: role, text: text, cacheLifetime: nil)]
        }
        guard let list = value.arrayValue else { throw .invalid("\(path): Input should be a valid string or list") }
        guard !list.isEmpty else { throw .invalid("\(path): content must be non-empty") }
        var blocks: [Block] = []
        for (index, element) in list.enumerated() {
            blocks.append(try block(element, role: role, path: "\(path).\(index)"))
        }
        return blocks
    }

    private func block(_ value: JSON, role: String, path: String) throws(AnthropicRefusal) -> Block {
        guard let type = value["type"]?.stringValue else { throw .invalid("\(path).type: Field required") }
        let lifetime = try lifetime(value["cache_control"], path: "\(path).cache_control")
        // Other kinds (images, tool calls and results) count by their bytes and are not read.
        guard type == "text" else { return Block(role: role, text: value.text, cacheLifetime: lifetime) }
        guard let text = value["text"] else { throw .invalid("\(path).text.text: Field required") }
        guard let text = text.stringValue else { throw .invalid("\(path).text.text: Input should be a valid string") }
        guard !text.isEmpty else { throw .invalid("\(path): text content blocks must be non-empty") }
        let known = ["type", "text", "cache_control", "citations"]
        if let stray = value.objectValue?.keys.first(where: { !known.contains($0) }) {
            throw .invalid("\(path).text.\(stray): Extra inputs are not permitted")
        }
        return Block(role: role, text: text, cacheLifetime: lifetime)
    }

    /// `cache_control` at the top level stands for one on the last block.
    func withAutomaticBreakpoint(_ blocks: [Block]) throws(AnthropicRefusal) -> [Block] {
        guard let lifetime = try lifetime(member("cache_control"), path: "cache_control"), let last = blocks.last,
            last.cacheLifetime == nil
        else { return blocks }
        return blocks.dropLast() + [Block(role: last.role, text: last.text, cacheLifetime: lifetime)]
    }

    private func lifetime(_ value: JSON?, path: String) throws(AnthropicRefusal) -> PromptCache.Lifetime? {
        guard let value, !value.isNull else { return nil }
        guard value["type"] == "ephemeral" else { throw .invalid("\(path).type: Input should be 'ephemeral'") }
        guard let ttl = value["ttl"] else { return .fiveMinutes }
        guard let lifetime = ttl.stringValue.flatMap(PromptCache.Lifetime.init) else {
            throw .invalid("\(path).ephemeral.ttl: Input should be '5m' or '1h'")
        }
        return lifetime
    }
}
