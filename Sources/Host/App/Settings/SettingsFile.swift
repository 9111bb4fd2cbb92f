import Domain
import Yams

/// `aibackend.yaml`, flattened: each scalar under its dotted key, with its line.
struct SettingsFile {
    struct Entry {
        let key: String
        let text: String
        let line: Int

        var unknown: Diagnostic {
            let known = Setting.all.map(\.key)
            return Diagnostic(
                code: "unknown_setting",
                message: "\"\(key)\" is not a setting; there are \(known.joined(separator: ", ")) and plugins.<id>",
                suggestion: Spelling.nearest(to: key, among: known),
                pointer: "/" + key.replacing(".", with: "/"), line: line, column: 1)
        }
    }

    private(set) var scalars: [Entry] = []
    private(set) var plugins: [String: JSON] = [:]

    static func read(_ text: String, name: String) throws(Diagnostics) -> SettingsFile {
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch {
            throw Diagnostics([Diagnostic(code: "yaml", message: "\(error)", pointer: "")], file: name)
        }
        var file = SettingsFile()
        guard let root else { return file }
        guard let mapping = root.mapping else {
            throw Diagnostics(
                [Diagnostic(code: "yaml", message: "the file must be a mapping of settings", pointer: "", line: 1)],
                file: name)
        }
        do throws(Diagnostic.Thrown) { try file.add(mapping, under: "") } catch {
            throw Diagnostics([error.diagnostic], file: name)
        }
        return file
    }

    private mutating func add(_ mapping: Node.Mapping, under prefix: String) throws(Diagnostic.Thrown) {
        for (name, value) in mapping {
            guard let name = name.string else { continue }
            if prefix.isEmpty, name == "plugins", let plugins = value.mapping {
                for (id, configuration) in plugins {
                    guard let id = id.string else { continue }
                    self.plugins[id] = try Self.json(configuration)
                }
                continue
            }
            let key = prefix + name
            let line = value.mark?.line ?? 1
            if let nested = value.mapping {
                try add(nested, under: key + ".")
            } else if let scalar = value.scalar {
                scalars.append(Entry(key: key, text: scalar.string, line: line))
            } else {
                throw Diagnostic.Thrown(
                    diagnostic: Diagnostic(
                        code: "invalid_setting", message: "\"\(key)\" must be a single value, not a list",
                        pointer: "/" + key.replacing(".", with: "/"), line: line))
            }
        }
    }

    private static func json(_ node: Node) throws(Diagnostic.Thrown) -> JSON {
        if let mapping = node.mapping {
            var object = JSONObject()
            for (key, value) in mapping { object[key.string ?? ""] = try json(value) }
            return .object(object)
        }
        if let sequence = node.sequence {
            var elements: [JSON] = []
            for element in sequence { elements.append(try json(element)) }
            return .array(elements)
        }
        guard let scalar = node.scalar else {
            throw Diagnostic.Thrown(
                diagnostic: Diagnostic(code: "yaml", message: "aliases are not allowed here", pointer: ""))
        }
        if scalar.style == .plain, let value = try? JSON.parse(scalar.string) { return value }
        return .string(scalar.string)
    }
}

extension Diagnostic {
    /// A single diagnostic on its way up.
    fileprivate struct Thrown: Error { let diagnostic: Diagnostic }
}
