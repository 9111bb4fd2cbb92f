import Domain
import Logging
import Outbound
import Persistence
import PluginHost

/// The plugins of this host: which libraries, with which configuration and secrets.
enum Plugins {
    struct Found {
        let lines: [String]
        let hasRefusals: Bool
    }

    /// Loads every plugin found; one that is refused is told and left out.
    static func load(
        _ settings: Settings, into registry: PluginRegistry, overrides: [String: JSON] = [:],
        secrets: [String: String] = [:], standsIn: Bool = false
    ) async throws -> [PluginRefusal] {
        var refusals: [PluginRefusal] = []
        for path in try Installation.plugins(in: settings.pluginsDirectory) {
            do throws(PluginRefusal) {
                _ = try await registry.load(path) { manifest in
                    try pluginSettings(
                        for: manifest, settings, overrides: overrides, secrets: secrets, standsIn: standsIn)
                }
            } catch {
                refusals.append(error)
            }
        }
        return refusals
    }

    private static func pluginSettings(
        for manifest: PluginManifest, _ settings: Settings, overrides: [String: JSON], secrets: [String: String],
        standsIn: Bool
    ) throws -> PluginSettings {
        var configuration = settings.plugins[manifest.id] ?? .object(JSONObject())
        let switchName = ConfigurationSchema.hostsOwnSetting
        let enabled = configuration[switchName] ?? true
        guard let isEnabled = enabled.boolValue else {
            throw StartFailure("plugins.\(manifest.id).\(switchName) must be true or false, not \(enabled.text)")
        }
        configuration.set(switchName, nil)
        for member in overrides[manifest.id]?.objectValue?.members ?? [] { configuration.set(member.key, member.value) }
        var scope: [String: SecretScope.Secret] = [:]
        for secret in manifest.secrets {
            // A key is not needed to look at what a plugin serves.
            guard let value = try secrets[secret.name] ?? settings.secret(secret.name) ?? (standsIn ? "-" : nil) else {
                continue
            }
            guard !Settings.isExample(value) else {
                throw StartFailure("\(secret.name) is an example, not a secret")
            }
            scope[secret.name] = SecretScope.Secret(value, uses: secret.uses)
        }
        return PluginSettings(configuration: configuration, secrets: SecretScope(scope), isEnabled: isEnabled)
    }

    /// Loads the plugins for a command that looks at them and calls none, and takes everything down before the
    /// process ends: threads of libraries must not meet the exit handlers of theirs.
    ///
    /// - Parameter standsIn: whether something stands in for secrets that are absent.
    static func withLoaded<Value: Sendable>(
        _ settings: Settings, standsIn: Bool = false, logger: Logger,
        _ body: (PluginRegistry, [PluginRefusal]) async throws -> Value
    ) async throws -> Value {
        let transport = HTTPClient(logger: logger)
        let registry = registry(transport: transport, blobs: nil, logger: logger)
        let result: Result<Value, any Error>
        do {
            let refusals = try await load(settings, into: registry, standsIn: standsIn)
            result = .success(try await body(registry, refusals))
        } catch {
            result = .failure(error)
        }
        await registry.shutdown()
        await transport.shutdown()
        return try result.get()
    }

    static func registry(
        transport: any HTTPTransport, blobs: (any BlobStore)?, logger: Logger
    ) -> PluginRegistry {
        PluginRegistry(
            transport: transport, blobs: blobs ?? NoBlobs(), clock: SystemWallClock(), logger: logger)
    }

    static func list(_ settings: Settings, logger: Logger) async throws -> Found {
        try await withLoaded(settings, logger: logger) { registry, refusals in
            await registry.refreshHealth()
            return found(registry, refusals)
        }
    }

    private static func found(_ registry: PluginRegistry, _ refusals: [PluginRefusal]) -> Found {
        var lines: [String] = []
        for plugin in registry.plugins {
            lines.append("\(plugin.id) \(plugin.version)  \(plugin.path)")
            lines.append("  sha256   \(plugin.digest)")
            let served = plugin.served.map(\.description).joined(separator: ", ")
            lines.append("  serves   \(served.isEmpty ? "nothing" : served)")
            lines.append("  health   \(plugin.health)")
        }
        for refusal in refusals { lines.append("refused: \(refusal)") }
        if lines.isEmpty { lines.append("no plugins found; name a folder with --plugins") }
        return Found(lines: lines, hasRefusals: !refusals.isEmpty)
    }
}

/// For commands that load plugins without calling them.
private struct NoBlobs: BlobStore {
    func put(_ bytes: [UInt8]) async throws -> String { throw StartFailure("this command keeps no blobs") }
    func get(_ digest: String) async throws -> [UInt8]? { nil }
}
