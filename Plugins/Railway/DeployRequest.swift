import PluginKit

/// The input of `deploy.deploy`, read and checked.
struct DeployRequest: Sendable, Hashable {
    /// The digest of a gzipped tar with `./` paths.
    let source: String
    /// The application's environment. A secret is the mark that the host fills its value into.
    let variables: JSONObject
    let healthCheckPath: String?
    /// nil leaves it to what Railway finds in the source.
    let startCommand: String?

    /// - Throws: `PluginError` of code `invalid` that names the member, and never its value.
    init(_ input: JSON) throws(PluginError) {
        guard let digest = input["source"]?["blob"]?.stringValue, Self.isDigest(digest) else {
            throw PluginError(.invalid, "source.blob must be the digest of a blob")
        }
        source = digest
        guard let given = input["variables"]?.objectValue else {
            throw PluginError(.invalid, "variables must be an object")
        }
        var variables = JSONObject()
        for member in given.members {
            guard Self.isName(member.key) else {
                throw PluginError(.invalid, "variables has a name that is not of letters, digits and underscores")
            }
            variables[member.key] = .string(try Self.value(of: member.key, member.value))
        }
        self.variables = variables
        healthCheckPath = try Self.text("health_check_path", in: input)
        if let healthCheckPath, !healthCheckPath.hasPrefix("/") {
            throw PluginError(.invalid, "health_check_path must begin with a slash")
        }
        startCommand = try Self.text("start_command", in: input)
    }

    private static func value(of name: String, _ value: JSON) throws(PluginError) -> String {
        if let text = value.stringValue {
            // Else a text could name a secret that it was not given.
            guard !text.contains("{{secret:") else {
                throw PluginError(.invalid, "the variable \(name) holds the mark of a secret in its text")
            }
            return text
        }
        guard let id = value["$secret"]?.stringValue, value.objectValue?.count == 1, isReference(id) else {
            throw PluginError(
                .invalid, "the variable \(name) must be a string or a secret's reference, not \(value.typeName)")
        }
        return "{{secret:\(id)}}"
    }

    private static func text(_ name: String, in input: JSON) throws(PluginError) -> String? {
        guard let value = input[name], !value.isNull else { return nil }
        guard let text = value.stringValue, !text.isEmpty else {
            throw PluginError(.invalid, "\(name) must be a non-empty string where it is given")
        }
        return text
    }

    private static func isName(_ text: String) -> Bool {
        1...200 ~= text.utf8.count
            && text.utf8.allSatisfy {
                UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 | 0x20
                    || $0 == UInt8(ascii: "_")
            }
    }

    private static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy {
                UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0
            }
    }

    private static func isReference(_ text: String) -> Bool {
        1...64 ~= text.utf8.count
            && text.utf8.allSatisfy {
                UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 | 0x20
                    || $0 == UInt8(ascii: "-")
            }
    }
}
