import PluginKit

/// What an operator configures for one instance, checked once when it is made.
struct Settings: Sendable, Hashable {
    /// Where the Messages API lives unless `base_url` says otherwise.
    static let defaultBaseURL = "https://api.anthropic.com"
    /// Used where neither the call nor the operator names a model. The manifest states the same default.
    static let fallbackModel = "claude-sonnet-5-5"

    let messagesURL: String
    let defaultModel: String

    /// - Throws: `PluginError` of code `invalid` that names the setting.
    init(_ configuration: JSON) throws(PluginError) {
        let baseURL = try Self.text("base_url", in: configuration) ?? Self.defaultBaseURL
        messagesURL = try Self.origin(baseURL) + "/v1/messages"
        defaultModel = try Self.text("model", in: configuration) ?? Self.fallbackModel
    }

    private static func text(_ name: String, in configuration: JSON) throws(PluginError) -> String? {
        guard let value = configuration[name], !value.isNull else { return nil }
        guard let text = value.stringValue, !text.isEmpty else {
            throw PluginError(.invalid, "setting \(name) must be a non-empty string, not \(value.typeName)")
        }
        return text
    }

    /// A base URL without its trailing slashes. User information is refused: a key does not belong in a URL.
    private static func origin(_ url: String) throws(PluginError) -> String {
        let rest: Substring? =
            if url.hasPrefix("https://") {
                url.dropFirst(8)
            } else if url.hasPrefix("http://") {
                url.dropFirst(7)
            } else { nil }
        guard let rest, let first = rest.first, first != "/",
            !rest.contains(where: { "?#@\\".contains($0) || $0.isWhitespace || !$0.isASCII })
        else {
            throw PluginError(
                .invalid,
                "setting base_url must be an http or https URL without user, query or fragment, "
                    + "such as \(defaultBaseURL)")
        }
        var origin = url[...]
        while origin.hasSuffix("/") { origin.removeLast() }
        return String(origin)
    }
}
