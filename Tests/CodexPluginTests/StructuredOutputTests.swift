import PluginKit
import Testing

@testable import CodexPlugin

@Suite struct StructuredOutputTests {
    private func adapted(_ schema: JSON) -> JSON { StructuredOutput(schema).schema }

    @Test func `every object is closed and requires all its properties, so optional ones may be null`() {
        let adapted = adapted([
            "type": "object", "additionalProperties": true, "required": ["a"],
            "properties": [
                "a": ["type": "array", "items": ["type": "object", "properties": ["b": ["type": "string"]]]],
                "e": ["enum": ["x"]], "r": ["$ref": "#/$defs/D"], "u": ["anyOf": [["type": "string"]]],
                "n": ["type": ["string", "null"]],
            ],
            "$defs": ["D": ["type": "boolean"]],
        ])
        #expect(adapted["additionalProperties"] == false)
        #expect(adapted["required"] == ["a", "e", "r", "u", "n"])
        let inner = adapted["properties"]?["a"]?["items"]
        #expect(inner?["additionalProperties"] == false && inner?["required"] == ["b"])
        #expect(inner?["properties"]?["b"] == ["type": ["string", "null"]])
        let null: JSON = ["type": "null"]
        #expect(adapted["properties"]?["e"] == ["anyOf": [["enum": ["x"], "type": "string"], null]])
        #expect(adapted["properties"]?["r"] == ["anyOf": [["$ref": "#/$defs/D"], null]])
        #expect(adapted["properties"]?["u"] == ["anyOf": [["type": "string"], null]])
        #expect(adapted["properties"]?["n"] == ["type": ["string", "null"]])
    }

    @Test func `what is supported stays as it is`() {
        let schema: JSON = [
            "type": "object",
            "properties": [
                "e": ["type": "string", "enum": ["x", "y"]], "r": ["$ref": "#/$defs/D"],
                "f": ["type": "string", "format": "date", "pattern": "^2"],
                "i": ["type": "integer", "minimum": 1, "exclusiveMaximum": 9, "multipleOf": 2],
                "m": ["type": "array", "items": ["type": "null"], "minItems": 1, "maxItems": 3],
                "u": ["anyOf": [["type": "string"], ["type": "null"]], "description": "d"],
            ],
            "required": ["e", "r", "f", "i", "m", "u"], "additionalProperties": false,
            "$defs": ["D": ["type": "boolean", "title": "t"]],
        ]
        #expect(adapted(schema) == .object(schema.objectValue.map(Self.reordered) ?? JSONObject()))
    }

    /// Members compare in order; the adapted schema has an object's own last.
    private static func reordered(_ object: JSONObject) -> JSONObject {
        var result = JSONObject()
        let last = ["properties", "required", "additionalProperties"]
        for member in object.members where !last.contains(member.key) { result[member.key] = member.value }
        for key in last { result[key] = object[key] }
        return result
    }

    private static let moved: [(JSON, JSON)] = [
        (
            ["type": "string", "minLength": 1, "maxLength": 10, "description": "A name"],
            ["type": "string", "description": "A name\n\n{minLength: 1, maxLength: 10}"]
        ),
        (["type": "string", "format": "color"], ["type": "string", "description": "{format: \"color\"}"]),
        (["type": "string", "default": "x"], ["type": "string", "description": "{default: \"x\"}"]),
        (["const": 1], ["enum": [1], "type": "integer"]),
        (["enum": ["a", .null]], ["enum": ["a", .null], "type": ["string", "null"]]),
        ([:], ["type": "string"]), (true, ["type": "string"]),
        (["type": "array"], ["type": "array", "items": ["type": "string"]]),
        (["oneOf": [["type": "string"], ["type": "integer"]]], ["anyOf": [["type": "string"], ["type": "integer"]]]),
        (["$ref": "#/$defs/D", "title": "t"], ["$ref": "#/$defs/D"]),
        (["$ref": "#/$defs/D", "description": "d"], ["anyOf": [["$ref": "#/$defs/D"]], "description": "d"]),
        (
            ["allOf": [["$ref": "#/$defs/D"]], "description": "d"],
            ["anyOf": [["$ref": "#/$defs/D"]], "description": "d"]
        ),
        (["items": ["type": "null"]], ["items": ["type": "null"], "type": "array"]),
    ]

    @Test(arguments: moved)
    func `what cannot be sent is said in other words`(original: JSON, expected: JSON) {
        #expect(adapted(original) == expected)
    }

    @Test func `allOf is folded in`() {
        let adapted = adapted([
            "type": "object", "$defs": ["B": ["properties": ["b": ["type": "integer"]], "required": ["b"]]],
            "required": ["x"],
            "properties": [
                "x": [
                    "allOf": [
                        ["type": "object", "properties": ["a": ["type": "string"]], "required": ["a"]],
                        ["$ref": "#/$defs/B"],
                    ]
                ]
            ],
        ])
        let x = adapted["properties"]?["x"]
        #expect(x?["properties"] == ["a": ["type": "string"], "b": ["type": "integer"]])
        #expect(x?["required"] == ["a", "b"] && x?["allOf"] == nil && x?["additionalProperties"] == false)
    }

    @Test(.timeLimit(.minutes(1))) func `a schema that leads back to itself has an end`() {
        let node: JSON = [
            "type": "object", "required": ["next"],
            "properties": [
                "next": ["allOf": [["$ref": "#/$defs/Node"], ["description": "d"]]],
                "other": ["anyOf": [["$ref": "#/$defs/Node"], ["type": "null"]]],
            ],
        ]
        let schema: JSON = [
            "type": "object", "properties": ["n": ["$ref": "#/$defs/Node"], "loop": ["$ref": "#/$defs/Loop"]],
            "$defs": ["Node": node, "Loop": ["$ref": "#/$defs/Loop"]],
        ]
        #expect(adapted(schema)["$defs"]?["Node"]?["required"] == ["next", "other"])
        let answer: JSON = ["n": ["next": ["next": .null, "other": .null], "other": .null], "loop": 1]
        #expect(StructuredOutput(schema).restored(answer) == ["n": ["next": ["next": .null]], "loop": 1])
    }

    private static let schema: JSON = [
        "type": "object", "required": ["a", "kind"],
        "properties": [
            "a": ["type": ["string", "null"]], "b": ["type": "string"], "c": ["$ref": "#/$defs/C"],
            "list": ["type": "array", "items": ["$ref": "#/$defs/C"]],
            "kind": [
                "anyOf": [
                    ["type": "object", "properties": ["p": ["type": "null"]], "required": ["p"]],
                    ["type": "object", "properties": ["q": ["type": "string"]]],
                ]
            ],
        ],
        "$defs": ["C": ["type": "object", "properties": ["d": ["type": "integer"]]]],
    ]

    private static let answers: [(JSON, JSON)] = [
        (["a": .null, "b": .null, "c": .null], ["a": .null]),
        (["a": "x", "b": "y", "c": ["d": .null]], ["a": "x", "b": "y", "c": [:]]),
        (["list": [["d": .null], ["d": 1]]], ["list": [[:], ["d": 1]]]),
        (["kind": ["p": .null]], ["kind": ["p": .null]]), (["kind": ["q": .null]], ["kind": [:]]),
        (["unknown": .null], ["unknown": .null]), ([1, .null], [1, .null]),
    ]

    @Test(arguments: answers)
    func `the nulls that stand for optional members leave the answer, all others stay`(answer: JSON, expected: JSON) {
        #expect(StructuredOutput(Self.schema).restored(answer) == expected)
    }
}
