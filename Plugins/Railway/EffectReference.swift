import PluginKit

/// What `deploy.lookup` and `deploy.delete` are asked about: an effect that one of the other operations had, or may
/// have had.
struct EffectReference: Sendable, Hashable {
    enum Command: String, Sendable, CaseIterable {
        case database = "setup_database"
        case deployment = "deploy_application"
        case domain = "setup_domain"
    }

    let command: Command
    /// The idempotency key of the call that had it.
    let key: String
    /// What that call said it made; null where it never said.
    let resource: JSON

    /// - Throws: `PluginError` of code `invalid` that names the member.
    init(_ input: JSON) throws(PluginError) {
        guard let command = input["effect"]?["command"]?.stringValue.flatMap(Command.init) else {
            let names = Command.allCases.map(\.rawValue).joined(separator: ", ")
            throw PluginError(.invalid, "effect.command must be one of \(names)")
        }
        guard let key = input["effect"]?["key"]?.stringValue, !key.isEmpty else {
            throw PluginError(.invalid, "effect.key is missing")
        }
        self.command = command
        self.key = key
        resource = input["effect"]?["resource"] ?? .null
    }

    /// An id that the resource states.
    func id(_ name: String) -> String? { resource[name]?.stringValue }
}
