import Domain

/// What structured outputs accept as a schema.
/// https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs
struct OutputSchemaRules {
    private static let types: Set<String> = ["object", "array", "string", "integer", "number", "boolean", "null"]
    private static let formats: Set<String> = [
        "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid",
    ]
    private static let annotations: Set<String> = ["title", "description", "default"]
    private static let keywords: [String: Set<String>] = [
        "object": ["properties", "required", "additionalProperties"], "array": ["items", "minItems"],
        "string": ["format", "pattern"],
    ]

    let root: JSON

    func check() throws(AnthropicRefusal) {
        try check(root, references: [])
    }

    private func refuse(_ reason: String) -> AnthropicRefusal { .invalid("output_config.format.schema: \(reason)") }

    private func check(_ schema: JSON, references: [String]) throws(AnthropicRefusal) {
        guard let object = schema.objectValue else { throw refuse("Schema should be a valid dictionary") }
        for key in ["$defs", "definitions"] {
            for member in object[key]?.objectValue?.members ?? [] {
                try check(member.value, references: references + ["#/\(key)/\(member.key)"])
            }
        }
        if let reference = object["$ref"] { return try checkReference(reference, references) }
        for key in ["anyOf", "allOf"] {
            for branch in object[key]?.arrayValue ?? [] { try check(branch, references: references) }
        }
        let types = try types(of: object)
        try checkKeywords(of: object, types: types)
        if types.contains("object") { try checkObject(object, references) }
        if let items = object["items"] { try check(items, references: references) }
        if let count = object["minItems"], count != 0, count != 1 {
            throw refuse("For 'array' type, 'minItems' values other than 0 or 1 are not supported")
        }
        if let format = object["format"]?.stringValue, !Self.formats.contains(format) {
            throw refuse("For 'string' type, format '\(format)' is not supported")
        }
    }

    private func checkReference(_ reference: JSON, _ references: [String]) throws(AnthropicRefusal) {
        guard let path = reference.stringValue, path.hasPrefix("#/") else {
            throw refuse("External $ref are not supported")
        }
        guard !references.contains(path) else { throw refuse("Circular reference detected: '\(path)'") }
        var target: JSON? = root
        for key in path.dropFirst(2).split(separator: "/") { target = target?[String(key)] }
        guard let target else { throw refuse("$ref '\(path)' not found") }
        try check(target, references: references + [path])
    }

    private func types(of object: JSONObject) throws(AnthropicRefusal) -> [String] {
        guard let value = object["type"] else {
            guard ["anyOf", "allOf", "enum", "const"].contains(where: { object[$0] != nil }) else {
                throw refuse("Schema must have a 'type', 'anyOf', 'allOf', 'enum', 'const' or '$ref'")
            }
            return []
        }
        let types = value.stringValue.map { [$0] } ?? value.arrayValue?.compactMap(\.stringValue) ?? []
        guard !types.isEmpty, types.allSatisfy(Self.types.contains) else {
            throw refuse("Schema type '\(value.stringValue ?? value.text)' is not supported")
        }
        return types
    }

    private func checkKeywords(of object: JSONObject, types: [String]) throws(AnthropicRefusal) {
        var allowed = Self.annotations.union(["type", "enum", "const", "anyOf", "allOf", "$defs", "definitions"])
        for type in types { allowed.formUnion(Self.keywords[type] ?? []) }
        guard let stray = object.keys.first(where: { !allowed.contains($0) }) else { return }
        throw refuse("For '\(types.first ?? "any")' type, property '\(stray)' is not supported")
    }

    private func checkObject(_ object: JSONObject, _ references: [String]) throws(AnthropicRefusal) {
        guard object["additionalProperties"] == false else {
            throw refuse("For 'object' type, 'additionalProperties' must be explicitly set to false")
        }
        let properties = object["properties"]?.objectValue ?? JSONObject()
        for name in (object["required"]?.arrayValue ?? []).compactMap(\.stringValue) where properties[name] == nil {
            throw refuse("Required property '\(name)' is not in properties")
        }
        for member in properties.members { try check(member.value, references: references) }
    }
}
