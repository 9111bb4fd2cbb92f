public import Domain

/// What a plugin says about itself in `plugin.json`: everything the host must know before the plugin's code runs.
public struct PluginManifest: Sendable, Hashable {
    /// Of `plugin.json`, and of what the library embeds.
    public static let maximumBytes = 1 << 20
    /// Of any list in it, and of the settings that `config` describes.
    public static let maximumElements = 256

    /// One operation a plugin offers.
    public struct Operation: Sendable, Hashable {
        public enum CostClass: String, Sendable, Hashable, CaseIterable {
            /// Priced by the price table.
            case metered
            case free
        }

        /// `ai.generate`, for example.
        public let name: String
        public let isStreaming: Bool
        public let isCancellable: Bool
        /// Whether a call may be repeated without a second effect.
        public let isIdempotent: Bool
        public let costClass: CostClass
    }

    /// A step the plugin takes, and the operation that carries it out.
    public struct Served: Sendable, Hashable {
        public let key: RouteKey
        public let operation: String
        /// Tells what became of the step's effect.
        public let lookup: String?
        /// Takes the step's effect back.
        public let undo: String?
    }

    /// A secret the plugin uses by name and never sees.
    public struct Secret: Sendable, Hashable {
        /// Also the name of the environment variable that holds it.
        public let name: String
        public let uses: Set<SecretScope.Use>
        public let isRequired: Bool
        /// The hosts out of `egress` that it is for; nil where it is for all. An origin that the operator configured
        /// gets it in any case.
        public let hosts: [String]?
    }

    public let id: String
    public let name: String
    public let version: String
    public let license: String
    public let homepage: String?
    /// The major version of the ABI the plugin was built for, and the least minor version of a host it can live with.
    public let abiMajor: Int
    public let minimumHostMinor: Int
    public let operations: [Operation]
    public let serves: [Served]
    /// The value of `ai_api_calls.ai_provider`: `claude`, `openai` or `custom`.
    public let ledgerName: String
    public let configuration: ConfigurationSchema
    public let secrets: [Secret]
    /// Hosts the plugin may reach by https; a leading `*.` stands for one or more labels.
    public let egress: [String]
    /// The host services it asks for: `aib.http/1`. The log is always granted.
    public let services: [String]
    /// Calls in flight at once.
    public let concurrency: Int
}

extension PluginManifest {
    func operation(named name: String) -> Operation? { operations.first { $0.name == name } }

    /// The routes the plugin serves under this configuration.
    func routes(configuration: JSON) -> [RouteKey: Route] {
        var routes: [RouteKey: Route] = [:]
        for served in serves {
            routes[served.key] = Route(
                pluginID: id, pluginVersion: version, operation: served.operation,
                defaultModel: configuration["model"]?.stringValue, ledgerName: ledgerName,
                isMetered: operation(named: served.operation)?.costClass != .free, lookup: served.lookup,
                undo: served.undo)
        }
        return routes
    }
}
