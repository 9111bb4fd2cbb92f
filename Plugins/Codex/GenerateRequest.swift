import PluginKit

/// The input of `ai.generate`, read and checked.
struct GenerateRequest: Sendable, Hashable {
    enum Role: String, Sendable, CaseIterable { case user, assistant }

    struct Message: Sendable, Hashable {
        let role: Role
        let content: String
    }

    /// The API refuses a lower limit.
    static let leastOutputTokens: Int64 = 16

    let model: String
    let system: String?
    let messages: [Message]
    /// Counts what the model thinks as well as what it writes.
    let maximumOutputTokens: Int64
    /// The JSON Schema the answer must follow; the answer is free text without one.
    let outputSchema: JSON?

    /// - Parameter defaultModel: used where the input names none.
    /// - Throws: `PluginError` of code `invalid` that names the member, its value's type and what is allowed.
    init(_ input: JSON, defaultModel: String) throws(PluginError) {
        guard input.objectValue != nil else {
            throw PluginError(.invalid, "the input of ai.generate must be an object, not \(input.typeName)")
        }
        model = try Self.text("model", in: input) ?? defaultModel
        system = try Self.text("system", in: input)
        messages = try Self.messages(in: input)
        guard let limit = input["max_output_tokens"]?.integerValue, limit >= Self.leastOutputTokens else {
            throw PluginError(
                .invalid, "max_output_tokens must be a whole number of at least \(Self.leastOutputTokens) for OpenAI")
        }
        maximumOutputTokens = limit
        outputSchema = try Self.schema(in: input)
    }

    private static func text(_ name: String, in input: JSON) throws(PluginError) -> String? {
        guard let value = input[name], !value.isNull else { return nil }
        guard let text = value.stringValue, !text.isEmpty else {
            throw PluginError(.invalid, "\(name) must be a non-empty string where it is given")
        }
        return text
    }

    private static func schema(in input: JSON) throws(PluginError) -> JSON? {
        guard let schema = input["output_schema"], !schema.isNull else { return nil }
        guard schema.objectValue != nil, schema["type"] == "object" else {
            throw PluginError(.invalid, "output_schema must be a JSON Schema whose type is \"object\"")
        }
        // Nested, all of these are brought to what the API takes; at the top it takes an object's members alone.
        if let stray = ["$ref", "anyOf", "oneOf", "allOf"].first(where: { schema[$0] != nil }) {
            throw PluginError(.invalid, "output_schema may not have \(stray) at its top level for OpenAI")
        }
        return schema
    }

    private static func messages(in input: JSON) throws(PluginError) -> [Message] {
        guard let list = input["messages"]?.arrayValue, !list.isEmpty else {
            throw PluginError(.invalid, "messages must be an array of at least one message")
        }
        var messages: [Message] = []
        for (index, element) in list.enumerated() {
            guard let role = element["role"]?.stringValue.flatMap(Role.init) else {
                throw PluginError(.invalid, "messages[\(index)].role must be \"user\" or \"assistant\"")
            }
            guard let content = element["content"]?.stringValue, !content.isEmpty else {
                throw PluginError(.invalid, "messages[\(index)].content must be a non-empty string")
            }
            messages.append(Message(role: role, content: content))
        }
        guard messages[0].role == .user else {
            throw PluginError(.invalid, "messages[0].role must be \"user\": the user speaks first")
        }
        return messages
    }
}
