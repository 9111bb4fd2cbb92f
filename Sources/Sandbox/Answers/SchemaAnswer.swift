import Domain

/// Makes a value that a JSON Schema accepts: the same for the same schema and subject, and fit to be read.
///
/// It knows what structured outputs accept (see `OutputSchemaRules`) and nothing beyond.
struct SchemaAnswer {
    /// References deeper than this are recursive; no finite schema needs as many.
    private static let maximumDepth = 24

    let schema: JSON
    /// What the prompt is about, in a few words.
    let subject: String
    let fixture: AnswerFixtures.Fixture?

    /// The whole answer: the fixture's members where the schema has a place for them, the rest as the schema says.
    func value() -> JSON {
        let root = resolve(schema)
        guard let properties = root["properties"]?.objectValue else { return value(root, name: "answer", depth: 0) }
        let required = Set((root["required"]?.arrayValue ?? []).compactMap(\.stringValue))
        var answer = JSONObject()
        for member in properties.members {
            if let given = given(member.key) {
                answer[member.key] = given
            } else if required.contains(member.key) {
                answer[member.key] = value(member.value, name: member.key, depth: 1)
            }
        }
        return .object(answer)
    }

    private func given(_ name: String) -> JSON? {
        switch name {
        case "summary": .string(fixture?.summary ?? "Sandbox answer to: \(subject)")
        case "files": files
        default: fixture?.fields[name]
        }
    }

    private var files: JSON {
        let files =
            fixture?.files ?? [
                AnswerFixtures.File(
                    path: "README.md",
                    content: "# \(subject)\n\nWritten by the sandbox: no model was asked, and nothing was paid.\n")
            ]
        return .array(files.map { ["path": .string($0.path), "content": .string($0.content)] })
    }

    private func value(_ schema: JSON, name: String, depth: Int) -> JSON {
        let schema = resolve(schema)
        if let constant = schema["const"] { return constant }
        if let first = schema["enum"]?.arrayValue?.first { return first }
        guard depth <= Self.maximumDepth else { return .null }
        if let branch = (schema["anyOf"] ?? schema["allOf"])?.arrayValue?.first {
            return value(branch, name: name, depth: depth + 1)
        }
        let type = schema["type"]?.stringValue ?? schema["type"]?.arrayValue?.first?.stringValue
        switch type {
        case "object": return object(schema, depth: depth)
        case "array":
            return .array([value(schema["items"] ?? ["type": "string"], name: name, depth: depth + 1)])
        case "integer", "number": return 1
        case "boolean": return true
        case "null": return .null
        default: return .string(text(format: schema["format"]?.stringValue, name: name))
        }
    }

    private func object(_ schema: JSON, depth: Int) -> JSON {
        var object = JSONObject()
        for name in (schema["required"]?.arrayValue ?? []).compactMap(\.stringValue) {
            object[name] = value(schema["properties"]?[name] ?? ["type": "string"], name: name, depth: depth + 1)
        }
        return .object(object)
    }

    private func text(format: String?, name: String) -> String {
        switch format {
        case "date-time": return "2026-01-01T12:00:00Z"
        case "date": return "2026-01-01"
        case "time": return "12:00:00Z"
        case "duration": return "P1D"
        case "email": return "sandbox@example.com"
        case "hostname": return "example.com"
        case "uri": return "https://example.com/"
        case "ipv4": return "192.0.2.1"
        case "ipv6": return "2001:db8::1"
        case "uuid": return "00000000-0000-4000-8000-000000000001"
        default:
            let words = name.split(separator: "_").joined(separator: " ")
            return "\(words.prefix(1).uppercased())\(words.dropFirst()) for: \(subject)"
        }
    }

    /// Follows a reference into the schema's own definitions.
    private func resolve(_ part: JSON) -> JSON {
        var part = part
        for _ in 0..<Self.maximumDepth {
            guard let reference = part["$ref"]?.stringValue, reference.hasPrefix("#/") else { return part }
            var target: JSON? = schema
            for key in reference.dropFirst(2).split(separator: "/") { target = target?[String(key)] }
            guard let target else { return part }
            part = target
        }
        return part
    }
}
