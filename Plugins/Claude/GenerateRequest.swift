import PluginKit

/// What is to be generated, and how the provider shall go about it.
struct GenerateRequest: Sendable, Hashable {
    /// How long the provider keeps the cached prefix of the prompt.
    enum CacheLifetime: String, Sendable, CaseIterable {
        case fiveMinutes = "5m"
        case oneHour = "1h"
    }

    let model: String
    let system: String?
    let messages: [GenerateInput.Message]
    let maximumOutputTokens: Int64
    let outputSchema: JSON?
    let cache: CacheLifetime?

    /// - Parameter defaultModel: used where the input names none.
    /// - Throws: `PluginError` of code `invalid` that names the member and what is allowed.
    init(_ json: JSON, defaultModel: String) throws(PluginError) {
        let input = try GenerateInput(json)
        model = input.model ?? defaultModel
        system = input.system
        messages = input.messages
        maximumOutputTokens = input.maximumOutputTokens
        outputSchema = input.outputSchema
        cache = try Self.cache(in: json)
    }

    private static func cache(in input: JSON) throws(PluginError) -> CacheLifetime? {
        guard let value = input["cache"], !value.isNull else { return nil }
        guard let lifetime = value.stringValue.flatMap(CacheLifetime.init) else {
            throw PluginError(.invalid, "cache must be \"5m\" or \"1h\", not \(value.text.prefix(20))")
        }
        return lifetime
    }
}
