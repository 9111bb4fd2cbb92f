import PluginKit

/// Brings a JSON Schema to the subset that structured outputs accept, as the provider's own SDKs do.
///
/// Objects must be closed, every value needs a type, and bounds on numbers, strings and arrays are refused with
/// status 400. A bound that cannot be sent moves into the description, where the model still reads it; whoever asked
/// checks the answer against the original. The result only ever narrows: what fits it fits the original, bounds aside.
/// https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs
enum StructuredOutput {
    private static let stringFormats: Set<String> = [
        "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid",
    ]
    private static let keptAsIs: Set<String> = [
        "$ref", "type", "enum", "const", "title", "description", "required", "default",
    ]

    static func schema(from original: JSON) -> JSON {
        guard let source = original.objectValue else { return ["type": "string"] }
        var schema = JSONObject()
        var unsupported = JSONObject()
        for member in source.members {
            switch member.key {
            case let key where keptAsIs.contains(key): schema[key] = member.value
            case "properties", "$defs", "definitions": schema[member.key] = mapValues(member.value)
            case "items": schema["items"] = self.schema(from: member.value)
            case "anyOf", "allOf": schema[member.key] = mapElements(member.value)
            case "oneOf": schema["anyOf"] = mapElements(member.value)
            case "additionalProperties", "$schema", "$id", "$comment", "examples": break
            case "format" where stringFormats.contains(member.value.stringValue ?? ""): schema["format"] = member.value
            case "minItems" where member.value == 0 || member.value == 1: schema["minItems"] = member.value
            default: unsupported[member.key] = member.value
            }
        }
        if ["type", "$ref", "enum", "const"].allSatisfy({ schema[$0] == nil }) {
            // What only objects or only arrays can have says what the value is.
            if schema["properties"] != nil {
                schema["type"] = "object"
            } else if schema["items"] != nil {
                schema["type"] = "array"
            }
        }
        if isObject(schema["type"]) {
            schema["additionalProperties"] = false
        } else if ["type", "$ref", "enum", "const", "anyOf", "allOf"].allSatisfy({ schema[$0] == nil }) {
            schema["type"] = "string"
        }
        if !unsupported.isEmpty { schema["description"] = description(schema["description"], with: unsupported) }
        return .object(schema)
    }

    private static func isObject(_ type: JSON?) -> Bool {
        type == "object" || type?.arrayValue?.contains("object") == true
    }

    private static func mapValues(_ value: JSON) -> JSON {
        guard let source = value.objectValue else { return value }
        var object = JSONObject()
        for member in source.members { object[member.key] = schema(from: member.value) }
        return .object(object)
    }

    private static func mapElements(_ value: JSON) -> JSON {
        .array((value.arrayValue ?? []).map(schema(from:)))
    }

    private static func description(_ original: JSON?, with bounds: JSONObject) -> JSON {
        let list = bounds.members.map { "\($0.key): \($0.value.text)" }.joined(separator: ", ")
        return .string((original?.stringValue.map { "\($0)\n\n" } ?? "") + "{\(list)}")
    }
}
