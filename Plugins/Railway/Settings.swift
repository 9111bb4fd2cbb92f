import PluginKit

/// What an operator configures for one instance, checked once when it is made.
struct Settings: Sendable, Hashable {
    /// Where Railway's API lives unless `base_url` says otherwise. The manifest states the same defaults.
    static let defaultBaseURL = "https://backboard.railway.com"
    static let defaultPollInterval: UInt64 = 2_000
    /// The name under which the operator stores the token; the host puts its value in place of the reference.
    static let tokenName = "RAILWAY_TOKEN"

    /// Without a slash at its end.
    let baseURL: String
    /// The workspace that projects are looked for and made in; nil leaves it to the token.
    let workspaceID: String?
    /// Milliseconds between two looks at a deployment.
    let pollInterval: UInt64

    /// - Throws: `PluginError` of code `invalid` that names the setting.
    init(_ configuration: JSON) throws(PluginError) {
        let settings = OperatorSettings(configuration)
        baseURL = try settings.baseURL("base_url", default: Self.defaultBaseURL)
        workspaceID = try settings.text("workspace_id")
        if let value = configuration["poll_interval_ms"], !value.isNull {
            guard let interval = value.integerValue, 1...60_000 ~= interval else {
                throw PluginError(.invalid, "setting poll_interval_ms must be a whole number from 1 to 60000")
            }
            pollInterval = UInt64(interval)
        } else {
            pollInterval = Self.defaultPollInterval
        }
    }

    /// The scheme of the applications' addresses: Railway serves https alone, a simulator what it is reached by.
    var scheme: String { baseURL.hasPrefix("https://") ? "https" : "http" }
}
