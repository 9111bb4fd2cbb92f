import Domain

extension Template {
    /// What a client may send as `configuration`, as JSON Schema (2020-12).
    var configurationSchema: JSON {
        var properties = JSONObject()
        for input in inputs { properties[input.key] = input.schema }
        return [
            "type": "object", "properties": .object(properties),
            "required": .array(
                inputs.filter { !$0.isOptional && $0.defaultValue == nil }.map { .string($0.key) }),
        ]
    }
}

extension InputDeclaration {
    fileprivate var schema: JSON {
        var schema: JSON = ["type": .string(kind.rawValue)]
        schema.set("title", label.map { .string($0) })
        schema.set("description", description.map { .string($0) })
        // JSON Schema searches for a pattern anywhere; ours must match the whole.
        schema.set("pattern", pattern.map { .string("^(?:\($0))$") })
        if let options {
            if kind == .array {
                schema.set("items", ["enum": .array(options)])
                schema.set("uniqueItems", true)
            } else {
                schema.set("enum", .array(options))
            }
        }
        schema.set("default", defaultValue)
        return schema
    }
}
