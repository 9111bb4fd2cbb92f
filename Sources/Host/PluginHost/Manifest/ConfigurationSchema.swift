public import Domain

/// What an operator may configure of a plugin: the manifest's `config`, a flat object in JSON Schema's words.
public struct ConfigurationSchema: Sendable, Hashable {
    public enum ValueType: String, Sendable, Hashable, CaseIterable {
        case string, integer, number, boolean
    }

    public struct Property: Sendable, Hashable {
        public let name: String
        public let type: ValueType
        public let summary: String?
        public let defaultValue: JSON?
        /// The values allowed, nil where all of the type are.
        public let allowed: [JSON]?
        public let isRequired: Bool
        /// Whether its value is a base URL whose origin the plugin may then reach.
        public let isEgress: Bool
    }

    /// Stands beside every plugin's settings in the operator's file and never comes to the plugin.
    public static let hostsOwnSetting = "enabled"

    public let properties: [Property]

    init(_ json: JSON?, at pointer: String, _ reader: inout ManifestReader) {
        let object = reader.object(
            json, at: pointer, allowing: ["type", "properties", "required", "additionalProperties"])
        _ = reader.choice(object, "type", of: ["object"], default: "object", at: pointer)
        if reader.bool(object, "additionalProperties", default: false, at: pointer) {
            reader.report(
                "unsupported", "unknown settings are always refused: set \"additionalProperties\" to false",
                at: "\(pointer)/additionalProperties")
        }
        let required = reader.strings(object, "required", at: pointer)
        var properties: [Property] = []
        let members = object?["properties"]?.objectValue?.members ?? []
        if members.count > PluginManifest.maximumElements {
            reader.report(
                "too_many",
                "\"properties\" has \(members.count) members; at most \(PluginManifest.maximumElements) are allowed",
                at: "\(pointer)/properties")
        }
        for member in members.prefix(PluginManifest.maximumElements) {
            let place = "\(pointer)/properties/\(member.key)"
            if member.key == Self.hostsOwnSetting {
                reader.report(
                    "reserved_name",
                    "with \"\(member.key)\" an operator switches a plugin on and off; choose another name", at: place)
            }
            let schema = reader.object(
                member.value, at: place, allowing: ["type", "description", "default", "enum", "egress"])
            let property = Property(
                name: member.key,
                type: ValueType(
                    rawValue: reader.choice(
                        schema, "type", of: ValueType.allCases.map(\.rawValue), default: "string", at: place))
                    ?? .string,
                summary: schema?["description"]?.stringValue, defaultValue: schema?["default"],
                allowed: schema?["enum"]?.arrayValue, isRequired: required.contains(member.key),
                isEgress: reader.bool(schema, "egress", default: false, at: place))
            if let value = property.defaultValue, let problem = property.problem(with: value) {
                reader.report("invalid_default", problem, at: "\(place)/default")
            }
            properties.append(property)
        }
        for name in required where !properties.contains(where: { $0.name == name }) {
            reader.report(
                "unknown_member", "\"required\" names \"\(name)\", which is no property", at: "\(pointer)/required")
        }
        self.properties = properties
    }

    /// Checks what an operator wrote and fills in what was left out.
    ///
    /// - Throws: everything that is wrong with it.
    public func validated(_ configuration: JSON) throws(Diagnostics) -> JSON {
        guard let given = configuration.objectValue else {
            throw Diagnostics([
                Diagnostic(
                    code: "wrong_type", message: "the configuration must be an object, not \(configuration.typeName)",
                    pointer: "")
            ])
        }
        var problems: [Diagnostic] = []
        let names = properties.map(\.name)
        for name in given.keys where !names.contains(name) {
            let known = names.isEmpty ? "it has none" : "it has \(names.joined(separator: ", "))"
            problems.append(
                Diagnostic(
                    code: "unknown_setting", message: "the plugin has no setting \"\(name)\"; \(known)",
                    suggestion: Spelling.nearest(to: name, among: names), pointer: "/\(name)"))
        }
        var complete = JSONObject()
        for property in properties {
            guard let value = given[property.name] ?? property.defaultValue else {
                if property.isRequired {
                    problems.append(
                        Diagnostic(
                            code: "missing_setting", message: "the setting \"\(property.name)\" is required",
                            pointer: "/\(property.name)"))
                }
                continue
            }
            if let problem = property.problem(with: value) {
                problems.append(Diagnostic(code: "invalid_setting", message: problem, pointer: "/\(property.name)"))
            }
            complete[property.name] = value
        }
        if !problems.isEmpty { throw Diagnostics(problems) }
        return .object(complete)
    }

    /// The origins that an operator's configuration opens: what they wrote, not what was filled in for them.
    func origins(in configuration: JSON) -> [String] {
        properties.filter(\.isEgress).compactMap { configuration[$0.name]?.stringValue.flatMap(Self.origin(of:)) }
    }

    /// `https://api.example.com:8443` of `https://api.example.com:8443/v1`; nil where the text is no http URL.
    static func origin(of url: String) -> String? {
        guard let end = url.firstRange(of: "://") else { return nil }
        let scheme = url[..<end.lowerBound].lowercased()
        let authority = url[end.upperBound...].prefix { !"/?#".contains($0) }
        guard ["http", "https"].contains(scheme), !authority.isEmpty, !authority.contains("@"),
            !authority.contains(where: \.isWhitespace)
        else { return nil }
        return "\(scheme)://\(authority.lowercased())"
    }
}

extension ConfigurationSchema.Property {
    /// Why the value does not do, or nil.
    fileprivate func problem(with value: JSON) -> String? {
        let isOfType =
            switch (type, value) {
            case (.string, .string), (.integer, .integer), (.number, .integer), (.number, .decimal), (.boolean, .bool):
                true
            default: false
            }
        guard isOfType else { return "\"\(name)\" must be of type \(type.rawValue), not \(value.typeName)" }
        if let allowed, !allowed.contains(value) {
            return "\"\(name)\" must be one of \(allowed.map(\.text).joined(separator: ", ")), not \(value.text)"
        }
        if isEgress, ConfigurationSchema.origin(of: value.stringValue ?? "") == nil {
            return "\"\(name)\" must be a base URL like https://api.example.com, not \(value.text)"
        }
        return nil
    }
}
