import Domain
import Yams

extension Settings {
    /// Neither file nor environment: every setting as it is when nobody sets it.
    static var standard: Settings {
        var values: [String: Value] = [:]
        for setting in Setting.all {
            if let text = setting.defaultText { values[setting.key] = Value(text: text, origin: .standard) }
        }
        return Settings(values: values, plugins: [:], environment: [:])
    }

    /// Reads the file, puts the environment above it, and checks every value.
    ///
    /// - Parameter path: the file; nil for `aibackend.yaml` in the current folder, which need not exist.
    /// - Throws: `Diagnostics` with everything that is wrong, each with its place and what is allowed.
    static func load(path: String?, environment: [String: String]) throws(Diagnostics) -> Settings {
        let name = path ?? "aibackend.yaml"
        var faults: [Diagnostic] = []
        var values = standard.values
        var plugins: [String: JSON] = [:]
        if let text = try file(name, isRequired: path != nil) {
            let entries = try SettingsFile.read(text, name: name)
            plugins = entries.plugins
            for entry in entries.scalars {
                guard let setting = Setting.all.first(where: { $0.key == entry.key }) else {
                    faults.append(entry.unknown)
                    continue
                }
                check(setting, entry.text, at: "line \(entry.line)", line: entry.line, into: &faults)
                values[setting.key] = Value(text: entry.text, origin: .file(line: entry.line))
            }
        }
        for setting in Setting.all {
            guard let text = try secretOrText(setting, environment: environment) else { continue }
            check(setting, text, at: setting.variable, line: nil, into: &faults)
            values[setting.key] = Value(text: text, origin: .environment(setting.variable))
        }
        guard faults.isEmpty else { throw Diagnostics(faults, file: name) }
        return Settings(values: values, plugins: plugins, environment: environment)
    }

    private static func secretOrText(
        _ setting: Setting, environment: [String: String]
    ) throws(Diagnostics) -> String? {
        guard setting.isSecret else { return environment[setting.variable].flatMap { $0.isEmpty ? nil : $0 } }
        return try secret(setting.variable, environment: environment)
    }

    static func secret(_ name: String, environment: [String: String]) throws(Diagnostics) -> String? {
        if let path = environment["\(name)_FILE"], !path.isEmpty {
            guard let bytes = File.read(path, limit: 65_536),
                let text = String(validating: bytes, as: UTF8.self)?.trimmingNewlines, !text.isEmpty
            else {
                throw Diagnostics(
                    [
                        Diagnostic(
                            code: "secret_file",
                            message: "\(name)_FILE names \(path), which is not a readable text file",
                            pointer: "")
                    ], file: "environment")
            }
            return text
        }
        return environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func check(
        _ setting: Setting, _ text: String, at place: String, line: Int?, into faults: inout [Diagnostic]
    ) {
        let pointer = "/" + setting.key.replacing(".", with: "/")
        if setting.isSecret, isExample(text) {
            faults.append(
                Diagnostic(
                    code: "example_secret", message: "\(setting.key) (\(place)) is an example, not a secret",
                    pointer: pointer, line: line))
        } else if let fault = setting.fault(in: text) {
            let shown = setting.isSecret ? "" : " is \"\(text)\" and"
            faults.append(
                Diagnostic(
                    code: "invalid_setting", message: "\(setting.key) (\(place))\(shown) \(fault)", pointer: pointer,
                    line: line))
        }
    }

    /// What documentation and manifests write where a secret belongs.
    static func isExample(_ text: String) -> Bool {
        let lowered = text.lowercased()
        return lowered.hasPrefix("your-") || lowered.hasPrefix("your_")
            || ["changeme", "change-me", "secret", "example"].contains(lowered)
    }

    private static func file(_ path: String, isRequired: Bool) throws(Diagnostics) -> String? {
        guard File.exists(path) || isRequired else { return nil }
        guard let bytes = File.read(path, limit: 1_048_576), let text = String(validating: bytes, as: UTF8.self)
        else {
            throw Diagnostics(
                [
                    Diagnostic(
                        code: "unreadable", message: "\(path) cannot be read as a UTF-8 text of at most 1 MiB",
                        pointer: "")
                ], file: path)
        }
        return text
    }
}

extension String {
    fileprivate var trimmingNewlines: String {
        var text = Substring(self)
        while let last = text.last, last.isNewline { text.removeLast() }
        return String(text)
    }
}
