import PluginKit

/// Brings a JSON Schema to the subset that strict structured outputs accept, as the provider's own SDKs do.
///
/// Every object must be closed and require all its properties, so an optional one becomes one that may be null, and
/// `restored(_:)` takes the null out of the answer again. Every value needs a type. A keyword that cannot be sent moves
/// into the description, where the model still reads it; whoever asked checks the answer against the original.
/// https://platform.openai.com/docs/guides/structured-outputs
struct StructuredOutput: Sendable {
    private static let stringFormats: Set<String> = [
        "date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid",
    ]
    private static let keptAsIs: Set<String> = [
        "type", "enum", "title", "description", "pattern", "minimum", "maximum", "exclusiveMinimum",
        "exclusiveMaximum", "multipleOf", "minItems", "maxItems",
    ]
    /// References within `allOf` and `anyOf` deeper than this are recursive; no sensible schema needs as many.
    private static let maximumDepth = 8

    let original: JSON

    init(_ original: JSON) { self.original = original }

    /// The schema to send.
    var schema: JSON { adapted(original, depth: 0) }

    private func adapted(_ value: JSON, depth: Int) -> JSON {
        guard let source = merged(value, depth: depth).objectValue else { return ["type": "string"] }
        // What is folded in may lead back to here.
        let depth = value["allOf"] == nil ? depth : depth + 1
        if let reference = source["$ref"] { return self.reference(reference, beside: source) }
        var schema = JSONObject()
        var unsupported = JSONObject()
        for member in source.members {
            switch member.key {
            case let key where Self.keptAsIs.contains(key): schema[key] = member.value
            case "const": schema["enum"] = [member.value]
            case "properties", "required", "additionalProperties": break
            case "$defs", "definitions": schema[member.key] = mapValues(member.value) { adapted($0, depth: depth) }
            case "items": schema["items"] = adapted(member.value, depth: depth)
            case "anyOf", "oneOf":
                schema["anyOf"] = .array((member.value.arrayValue ?? []).map { adapted($0, depth: depth) })
            case "$schema", "$id", "$comment", "examples", "allOf": break
            case "format" where Self.stringFormats.contains(member.value.stringValue ?? ""):
                schema["format"] = member.value
            default: unsupported[member.key] = member.value
            }
        }
        addType(to: &schema, of: source)
        if Self.has(schema["type"], "object") { addProperties(to: &schema, of: source, depth: depth) }
        if Self.has(schema["type"], "array"), schema["items"] == nil { schema["items"] = ["type": "string"] }
        if !unsupported.isEmpty { schema["description"] = Self.description(schema["description"], with: unsupported) }
        return .object(schema)
    }

    /// A reference stands alone; what is said beside it goes around it.
    private func reference(_ reference: JSON, beside source: JSONObject) -> JSON {
        guard let words = source["description"] else { return ["$ref": reference] }
        return ["anyOf": [["$ref": reference]], "description": words]
    }

    private func addType(to schema: inout JSONObject, of source: JSONObject) {
        guard schema["type"] == nil, schema["anyOf"] == nil else { return }
        if source["properties"] != nil {
            schema["type"] = "object"
        } else if schema["items"] != nil {
            schema["type"] = "array"
        } else if let values = schema["enum"]?.arrayValue, !values.isEmpty {
            var types: [String] = []
            for value in values where !types.contains(value.typeName) { types.append(value.typeName) }
            schema["type"] = types.count == 1 ? .string(types[0]) : .array(types.map(JSON.string))
        } else {
            schema["type"] = "string"
        }
    }

    private func addProperties(to schema: inout JSONObject, of source: JSONObject, depth: Int) {
        let required = Set((source["required"]?.arrayValue ?? []).compactMap(\.stringValue))
        var properties = JSONObject()
        for member in source["properties"]?.objectValue?.members ?? [] {
            let property = adapted(member.value, depth: depth)
            properties[member.key] = required.contains(member.key) ? property : Self.nullable(property)
        }
        schema["properties"] = .object(properties)
        schema["required"] = .array(properties.keys.map(JSON.string))
        schema["additionalProperties"] = false
    }

    private static func nullable(_ schema: JSON) -> JSON {
        guard var object = schema.objectValue else { return schema }
        if var branches = object["anyOf"]?.arrayValue {
            if !branches.contains(["type": "null"]) { branches.append(["type": "null"]) }
            object["anyOf"] = .array(branches)
        } else if let type = object["type"], object["enum"] == nil {
            guard !has(type, "null") else { return schema }
            object["type"] = .array((type.arrayValue ?? [type]) + ["null"])
        } else {
            return ["anyOf": [schema, ["type": "null"]]]
        }
        return .object(object)
    }

    private func mapValues(_ value: JSON, _ transform: (JSON) -> JSON) -> JSON {
        guard let source = value.objectValue else { return value }
        var object = JSONObject()
        for member in source.members { object[member.key] = transform(member.value) }
        return .object(object)
    }

    private static func has(_ type: JSON?, _ name: String) -> Bool {
        type?.stringValue == name || type?.arrayValue?.contains(.string(name)) == true
    }

    private static func description(_ original: JSON?, with bounds: JSONObject) -> JSON {
        let list = bounds.members.map { "\($0.key): \($0.value.text)" }.joined(separator: ", ")
        return .string((original?.stringValue.map { "\($0)\n\n" } ?? "") + "{\(list)}")
    }
}

extension StructuredOutput {
    /// The schema with its `allOf` folded in, which strict mode does not take. Of a keyword that two of them state,
    /// the first is sent.
    private func merged(_ value: JSON, depth: Int) -> JSON {
        guard var object = value.objectValue, let branches = object["allOf"]?.arrayValue, depth < Self.maximumDepth
        else { return value }
        object["allOf"] = nil
        // One reference with a description beside it is how many generators write a reference.
        if branches.count == 1, object["properties"] == nil, let reference = branches[0]["$ref"] {
            object["$ref"] = reference
            return .object(object)
        }
        for branch in branches {
            guard let part = merged(resolved(branch), depth: depth + 1).objectValue else { continue }
            for member in part.members {
                switch (member.key, object[member.key]) {
                case (_, nil): object[member.key] = member.value
                case ("properties", let mine?):
                    var properties = mine.objectValue ?? JSONObject()
                    for property in member.value.objectValue?.members ?? [] where properties[property.key] == nil {
                        properties[property.key] = property.value
                    }
                    object["properties"] = .object(properties)
                case ("required", let mine?):
                    let names = mine.arrayValue ?? []
                    object["required"] = .array(names + (member.value.arrayValue ?? []).filter { !names.contains($0) })
                default: break
                }
            }
        }
        return .object(object)
    }

    /// What a reference into the schema's own definitions leads to; anything else is itself.
    private func resolved(_ part: JSON) -> JSON {
        var part = part
        for _ in 0..<Self.maximumDepth {
            guard let reference = part["$ref"]?.stringValue, reference.hasPrefix("#") else { return part }
            var target: JSON? = original
            for key in reference.dropFirst().split(separator: "/") { target = target?[String(key)] }
            guard let target else { return part }
            part = target
        }
        return part
    }

    /// The answer as the original schema has it: without the nulls that stand for optional members.
    func restored(_ answer: JSON) -> JSON { restored(answer, [original]) }

    /// - Parameter schemas: all that may describe the value: with `anyOf` there is more than one.
    private func restored(_ value: JSON, _ schemas: [JSON]) -> JSON {
        let schemas = schemas.flatMap { alternatives($0, depth: 0) }
        switch value {
        case .array(let elements):
            let items = schemas.compactMap { $0["items"] }
            return items.isEmpty ? value : .array(elements.map { restored($0, items) })
        case .object(let object):
            var restoredObject = JSONObject()
            for member in object.members {
                let owners = schemas.filter { $0["properties"]?[member.key] != nil }
                let isRequired = owners.contains { $0["required"]?.arrayValue?.contains(.string(member.key)) == true }
                if member.value.isNull, !owners.isEmpty, !isRequired { continue }
                let inner = owners.compactMap { $0["properties"]?[member.key] }
                restoredObject[member.key] = inner.isEmpty ? member.value : restored(member.value, inner)
            }
            return .object(restoredObject)
        default: return value
        }
    }

    private func alternatives(_ schema: JSON, depth: Int) -> [JSON] {
        guard depth < Self.maximumDepth else { return [] }
        let whole = merged(resolved(schema), depth: 0)
        let branches = (whole["anyOf"]?.arrayValue ?? []) + (whole["oneOf"]?.arrayValue ?? [])
        return [whole] + branches.flatMap { alternatives($0, depth: depth + 1) }
    }
}
