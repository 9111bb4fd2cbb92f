import ArgumentParser
import Domain
import Foundation

/// The options every command that reads the configuration has.
struct SettingsOptions: ParsableArguments {
    @Option(name: .customLong("config"), help: "The configuration file (default: aibackend.yaml, if there is one).")
    var file: String?

    @Option(help: "Folder of the private database, files and keys of this host.")
    var dataDir: String?

    /// File, environment and options, checked.
    func load(with options: [String: String?] = [:]) throws -> Settings {
        var settings: Settings
        do { settings = try Settings.load(path: file, environment: ProcessInfo.processInfo.environment) } catch {
            throw ValidationFailure(error)
        }
        settings.set("data_dir", dataDir)
        for (key, text) in options { settings.set(key, text) }
        return settings
    }
}
