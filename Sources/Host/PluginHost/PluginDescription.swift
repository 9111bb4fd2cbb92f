public import Domain

/// How a plugin fares.
public enum PluginHealth: Sendable, Hashable {
    case healthy
    /// It says that calls would fail now.
    case failing(String)
    /// It holds its thread: no function of it can be called.
    case unresponsive
    /// The operator has switched it off.
    case disabled
}

extension PluginHealth: CustomStringConvertible {
    public var description: String {
        switch self {
        case .healthy: "healthy"
        case .failing(let reason): "failing: \(reason)"
        case .unresponsive: "unresponsive"
        case .disabled: "disabled"
        }
    }
}

/// One loaded plugin, for an operator to look at.
public struct PluginDescription: Sendable, Hashable {
    public let id: String
    public let name: String
    public let version: String
    public let path: String
    /// SHA-256 of the library, in hexadecimal.
    public let digest: String
    public let operations: [String]
    /// The steps it serves; none while it is disabled.
    public let served: [RouteKey]
    public let health: PluginHealth
}
