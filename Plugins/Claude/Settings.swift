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
        let settings = OperatorSettings(configuration)
        messagesURL = try settings.baseURL("base_url", default: Self.defaultBaseURL) + "/v1/messages"
        defaultModel = try settings.text("model") ?? Self.fallbackModel
    }
}
