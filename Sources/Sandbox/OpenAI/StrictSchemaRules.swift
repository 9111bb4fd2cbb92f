import Domain

/// What strict structured outputs accept as a schema.
/// https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
struct StrictSchemaRules {
    private static let types: Set<String> = ["object", "array", "string", "integer", "number", "boolean", "null"]
    private static let formats: Set<String> = [
        "date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid",
    ]
    private static let anywhere: Set<String> = [
        "type", "title", "description", "enum", "const", "anyOf", "$defs", "definitions",
    ]
    private static let keywords: [String: Set<String>] = [
        "object": ["properties", "required", "additionalProperties"], "array": ["items", "minItems", "maxItems"],
        "string": ["format", "pattern"],
        "integer": ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
        "number": ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
    ]
    static let maximumProperties = 5_000
    static let maximumDepth = 10

    /// The name of the format, which every refusal names.
    let name: String
    let root: JSON

    func check() throws(OpenAIRefusal) {
        guard root["type"] == "object" else {
            let type = root["type"]?.text ?? "\"None\""
            throw refuse([], "schema must be a JSON Schema of 'type: \"object\"', got 'type: \(type)'.")
        }
        if root["anyOf"] != nil { throw refuse([], "'anyOf' is not permitted at the top level.") }
        var properties = 0
        try check(root, [], depth: 0, properties: &properties)
    }

    private func refuse(_ context: [String], _ reason: String) -> OpenAIRefusal {
        let place = context.map { "'\($0)'" }.joined(separator: ", ")
        return .invalid(
            "Invalid schema for response_format '\(name)': In context=(\(place)), \(reason)", "text.format.schema",
            code: "invalid_json_schema")
    }

    private func check(
        _ schema: JSON, _ context: [String], depth: Int, properties: inout Int
    ) throws(OpenAIRefusal) {
        guard let object = schema.objectValue else {
            throw refuse(context, "\(schema.text.prefix(40)) is not of type 'object'.")
        }
        for key in ["$defs", "definitions"] {
            for member in object[key]?.objectValue?.members ?? [] {
                try check(member.value, context + [key, member.key], depth: depth, properties: &properties)
            }
        }
        if let reference = object["$ref"] { return try checkReference(reference, object, context) }
        let types = try types(of: object, context)
        try checkKeywords(of: object, types: types, context)
        for (index, branch) in (object["anyOf"]?.arrayValue ?? []).enumerated() {
            try check(branch, context + ["anyOf", "\(index)"], depth: depth, properties: &properties)
        }
        if types.contains("object") { try checkObject(object, context, depth: depth + 1, properties: &properties) }
        if types.contains("array") {
            guard let items = object["items"] else { throw refuse(context, "array schema missing items.") }
            try check(items, context + ["items"], depth: depth + 1, properties: &properties)
        }
        if let format = object["format"]?.stringValue, !Self.formats.contains(format) {
            throw refuse(context, "'\(format)' is not a valid format.")
        }
    }

    private func checkReference(
        _ reference: JSON, _ object: JSONObject, _ context: [String]
    ) throws(OpenAIRefusal) {
        if let stray = object.keys.first(where: { $0 != "$ref" }) {
            throw refuse(context, "$ref cannot have keywords {'\(stray)'}.")
        }
        guard let path = reference.stringValue, path.hasPrefix("#") else {
            throw refuse(context, "reference to component '\(reference.stringValue ?? "")' is not local.")
        }
        var target: JSON? = root
        for key in path.dropFirst().split(separator: "/") { target = target?[String(key)] }
        // What it leads to is checked where it stands.
        guard target != nil else { throw refuse(context, "reference can only point to definitions: '\(path)'.") }
    }

    private func types(of object: JSONObject, _ context: [String]) throws(OpenAIRefusal) -> [String] {
        guard let value = object["type"] else {
            guard object["anyOf"] != nil else { throw refuse(context, "schema must have a 'type' key.") }
            return []
        }
        let types = value.stringValue.map { [$0] } ?? value.arrayValue?.compactMap(\.stringValue) ?? []
        guard !types.isEmpty, types.allSatisfy(Self.types.contains) else {
            throw refuse(context, "\(value.text) is not valid under any of the given schemas.")
        }
        return types
    }

    private func checkKeywords(of object: JSONObject, types: [String], _ context: [String]) throws(OpenAIRefusal) {
        var allowed = Self.anywhere
        for type in types { allowed.formUnion(Self.keywords[type] ?? []) }
        guard let stray = object.keys.first(where: { !allowed.contains($0) }) else { return }
        throw refuse(context, "'\(stray)' is not permitted.")
    }

    private func checkObject(
        _ object: JSONObject, _ context: [String], depth: Int, properties: inout Int
    ) throws(OpenAIRefusal) {
        guard depth <= Self.maximumDepth else {
            throw refuse(context, "the schema is nested deeper than \(Self.maximumDepth) levels.")
        }
        guard object["additionalProperties"] == false else {
            throw refuse(context, "'additionalProperties' is required to be supplied and to be false.")
        }
        let members = object["properties"]?.objectValue?.members ?? []
        properties += members.count
        guard properties <= Self.maximumProperties else {
            throw refuse(context, "the schema has more than \(Self.maximumProperties) properties.")
        }
        let required = Set((object["required"]?.arrayValue ?? []).compactMap(\.stringValue))
        if let missing = members.first(where: { !required.contains($0.key) }) {
            throw refuse(
                context,
                "'required' is required to be supplied and to be an array including every key in properties. "
                    + "Missing '\(missing.key)'.")
        }
        if let extra = required.sorted().first(where: { name in !members.contains { $0.key == name } }) {
            throw refuse(context, "Extra required key '\(extra)' supplied.")
        }
        for member in members {
            try check(member.value, context + ["properties", member.key], depth: depth, properties: &properties)
        }
    }
}
