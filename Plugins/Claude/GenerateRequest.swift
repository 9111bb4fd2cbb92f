import PluginKit

/// The input of `ai.generate`, read and checked.
struct GenerateRequest: Sendable, Hashable {
    enum Role: String, Sendable, CaseIterable { case user, assistant }

    /// How long the provider keeps the cached prefix of the prompt.
    enum CacheLifetime: String, Sendable, CaseIterable {
        case fiveMinutes = "5m"
        case oneHour = "1h"
    }

    struct Message: Sendable, Hashable {
        let role: Role
        let content: String
    }

    let model: String
    let system: String?
    let messages: [Message]
    let maximumOutputTokens: Int64
    /// The JSON Schema the answer must follow; the answer is free text without one.
    let outputSchema: JSON?
    let cache: CacheLifetime?

    /// - Parameter defaultModel: used where the input names none.
    /// - Throws: `PluginError` of code `invalid` that names the member, its value's type and what is allowed.
    init(_ input: JSON, defaultModel: String) throws(PluginError) {
        guard input.objectValue != nil else {
            throw PluginError(.invalid, "the input of ai.generate must be an object, not \(input.typeName)")
        }
        model = try Self.text("model", in: input) ?? defaultModel
        system = try Self.text("system", in: input)
        messages = try Self.messages(in: input)
        guard let limit = input["max_output_tokens"]?.integerValue, limit >= 1 else {
            throw PluginError(.invalid, "max_output_tokens must be a whole number of at least 1")
        }
        maximumOutputTokens = limit
        outputSchema = try Self.schema(in: input)
        if let lifetime = try Self.text("cache", in: input) {
            guard let value = CacheLifetime(rawValue: lifetime) else {
                throw PluginError(.invalid, "cache must be \"5m\" or \"1h\", not \"\(lifetime.prefix(20))\"")
            }
            cache = value
        } else {
            cache = nil
        }
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
