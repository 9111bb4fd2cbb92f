public import WireJSON

/// The input of `ai.generate`, read and checked as far as the contract says; a provider may want more.
public struct GenerateInput: Sendable, Hashable {
    public enum Role: String, Sendable, CaseIterable { case user, assistant }

    public struct Message: Sendable, Hashable {
        public let role: Role
        public let content: String
    }

    /// nil where neither the step nor the plugin's configuration names one.
    public let model: String?
    public let system: String?
    /// At least one; the first is the user's.
    public let messages: [Message]
    public let maximumOutputTokens: Int64
    /// The JSON Schema of the object that the answer must be; the answer is free text without one.
    public let outputSchema: JSON?

    /// - Parameter input: `Call.input`.
    /// - Throws: `PluginError` of code `invalid` that names the member and what is allowed.
    public init(_ input: JSON) throws(PluginError) {
        guard input.objectValue != nil else {
            throw PluginError(.invalid, "the input of ai.generate must be an object, not \(input.typeName)")
        }
        model = try Self.text("model", in: input)
        system = try Self.text("system", in: input)
        messages = try Self.messages(in: input)
        guard let limit = input["max_output_tokens"]?.integerValue, limit >= 1 else {
            throw PluginError(.invalid, "max_output_tokens must be a whole number of at least 1")
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

    private static func schema(in input: JSON) throws(PluginError) -> JSON? {
        guard let schema = input["output_schema"], !schema.isNull else { return nil }
        guard schema.objectValue != nil, schema["type"] == "object" else {
            throw PluginError(.invalid, "output_schema must be a JSON Schema whose type is \"object\"")
        }
        return schema
    }
}
