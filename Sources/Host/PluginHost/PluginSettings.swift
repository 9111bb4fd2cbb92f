public import Domain

/// What an operator says about one plugin.
public struct PluginSettings: Sendable {
    /// An object, checked against the manifest's `config`.
    public var configuration: JSON
    /// The secrets it may use, each bound to its uses.
    public var secrets: SecretScope
    /// A plugin that is not enabled is listed, and serves nothing.
    public var isEnabled: Bool

    public init(configuration: JSON = .object(JSONObject()), secrets: SecretScope = .none, isEnabled: Bool = true) {
        self.configuration = configuration
        self.secrets = secrets
        self.isEnabled = isEnabled
    }
}
