import ArgumentParser
import Domain
import Foundation
import Logging

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

/// Faults in what the operator wrote; printed as they are, exit code 2.
struct ValidationFailure: Error, CustomStringConvertible {
    let description: String
    init(_ faults: Diagnostics) { description = faults.description }
}

/// Runs a command's body; a failure is told on standard error in its own words, without a stack or a type name.
func reportingFailures(_ body: () async throws -> Void) async throws {
    do { try await body() } catch let exit as ExitCode {
        throw exit
    } catch let failure as ValidationFailure {
        Console.error("\(failure)")
        throw ExitCode(2)
    } catch {
        Console.error("aibackend: \(error)")
        throw ExitCode(1)
    }
}

/// What people read: results on standard output, everything else on standard error.
enum Console {
    static func line(_ text: String = "") { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
    static func error(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    static func logger(_ level: String) -> Logger {
        var logger = Logger(label: "aibackend", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = Logger.Level(rawValue: level) ?? .notice
        return logger
    }
}
