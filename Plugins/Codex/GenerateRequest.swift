import PluginKit

/// What is to be generated, as far as the API takes it.
struct GenerateRequest: Sendable, Hashable {
    /// The API refuses a lower limit.
    static let leastOutputTokens: Int64 = 16

    let model: String
    let system: String?
    let messages: [GenerateInput.Message]
    /// Counts what the model thinks as well as what it writes.
    let maximumOutputTokens: Int64
    let outputSchema: JSON?

    /// - Parameter defaultModel: used where the input names none.
    /// - Throws: `PluginError` of code `invalid` that names the member and what is allowed.
    init(_ json: JSON, defaultModel: String) throws(PluginError) {
        let input = try GenerateInput(json)
        guard input.maximumOutputTokens >= Self.leastOutputTokens else {
            throw PluginError(
                .invalid, "max_output_tokens must be a whole number of at least \(Self.leastOutputTokens) for OpenAI")
        }
        // Nested, all of these are brought to what the API takes; at the top it takes an object's members alone.
        if let stray = ["$ref", "anyOf", "oneOf", "allOf"].first(where: { input.outputSchema?[$0] != nil }) {
            throw PluginError(.invalid, "output_schema may not have \(stray) at its top level for OpenAI")
        }
        model = input.model ?? defaultModel
        system = input.system
        messages = input.messages
        maximumOutputTokens = input.maximumOutputTokens
        outputSchema = input.outputSchema
    }
}
