public import Domain

/// The fields that a template's references ask of one AI step's answer, as a tree in document order.
struct AnswerFields: Sendable {
    private(set) var children: [(name: String, fields: AnswerFields)] = []
    /// What the model is told of a field without parts.
    private(set) var meaning: String?
    private var positions: [String: Int] = [:]

    /// Returns how many fields are new.
    @discardableResult
    mutating func require(_ path: ArraySlice<String>, meaning: String? = nil) -> Int {
        guard let name = path.first else {
            self.meaning = self.meaning ?? meaning
            return 0
        }
        if let index = positions[name] {
            return children[index].fields.require(path.dropFirst(), meaning: meaning)
        }
        var fields = AnswerFields()
        let count = 1 + fields.require(path.dropFirst(), meaning: meaning)
        positions[name] = children.count
        children.append((name, fields))
        return count
    }
}

/// The JSON Schema of an AI step's answer: what is sent with the call, and what the answer is held against.
///
/// Every answer is an envelope of `summary` (text) and `files` (paths with contents), and beside them the fields
/// that references in the template name. Only the keywords that this type writes are ever checked: `type`,
/// `properties`, `required`, `additionalProperties`, `items`, `enum`.
public enum AnswerSchema {
    /// The envelope's own fields.
    public static let envelope = ["summary", "files"]
    /// Faults reported for one answer.
    public static let maximumFaults = 20

    static func schema(for fields: AnswerFields) -> JSON {
        var properties: [(String, JSON)] = [
            ("summary", ["type": "string", "description": "What was done, in a few sentences."]),
            (
                "files",
                [
                    "type": "array", "description": "Every file produced; empty where there are none.",
                    "items": object([
                        ("path", ["type": "string", "description": "Relative, with forward slashes."]),
                        ("content", ["type": "string", "description": "The whole content of the file."]),
                    ]),
                ]
            ),
        ]
        properties += fields.children.filter { !envelope.contains($0.name) }.map { ($0.name, schema(of: $0.fields)) }
        return object(properties)
    }

    private static func schema(of fields: AnswerFields) -> JSON {
        guard fields.children.isEmpty else {
            return object(fields.children.map { ($0.name, schema(of: $0.fields)) })
        }
        return fields.meaning.map { ["type": "string", "description": .string($0)] } ?? ["type": "string"]
    }

    /// An object with exactly these members.
    private static func object(_ properties: [(String, JSON)]) -> JSON {
        var members = JSONObject()
        for (name, schema) in properties { members[name] = schema }
        return [
            "type": "object", "properties": .object(members),
            "required": .array(properties.map { .string($0.0) }), "additionalProperties": false,
        ]
    }

    /// How an answer departs from its schema: a sentence each, with the RFC 6901 pointer of the value; at most
    /// `maximumFaults`. Empty where it fits.
    public static func faults(of answer: JSON, against schema: JSON) -> [String] {
        var faults: [String] = []
        check(answer, schema, at: "", &faults)
        return faults
    }

    private static func check(_ value: JSON, _ schema: JSON, at pointer: String, _ faults: inout [String]) {
        func report(_ message: String, at place: String) {
            guard faults.count < maximumFaults else { return }
            faults.append("\(place.isEmpty ? "the answer" : place) \(message)")
        }
        if let type = schema["type"]?.stringValue, type != value.typeName,
            !(type == "number" && value.typeName == "integer")
        {
            report("must be of type \(type), not \(value.typeName)", at: pointer)
            return
        }
        if let allowed = schema["enum"]?.arrayValue, !allowed.contains(value) {
            report("must be one of \(allowed.map(\.text).joined(separator: ", "))", at: pointer)
        }
        if let object = value.objectValue {
            for name in schema["required"]?.arrayValue?.compactMap(\.stringValue) ?? [] where object[name] == nil {
                report("must have the member \"\(name)\"", at: pointer)
            }
            for member in object.members where faults.count < maximumFaults {
                let path = pointer + "/" + JSONPointer.escape(member.key)
                if let inner = schema["properties"]?[member.key] {
                    check(member.value, inner, at: path, &faults)
                } else if schema["additionalProperties"] == false {
                    report("is not a member that was asked for", at: path)
                }
            }
        }
        if let elements = value.arrayValue, let items = schema["items"] {
            for (index, element) in elements.enumerated() where faults.count < maximumFaults {
                check(element, items, at: "\(pointer)/\(index)", &faults)
            }
        }
    }
}
