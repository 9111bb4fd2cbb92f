import PluginKit
import Testing

@testable import ClaudePlugin

@Suite struct StructuredOutputTests {
    @Test func closesEveryObject() {
        let adapted = StructuredOutput.schema(from: [
            "type": "object", "additionalProperties": true, "required": ["a"],
            "properties": [
                "a": ["type": "array", "items": ["type": "object", "properties": ["b": ["type": "string"]]]]
            ],
        ])
        #expect(adapted["additionalProperties"] == false)
        #expect(adapted["properties"]?["a"]?["items"]?["additionalProperties"] == false)
        #expect(adapted["required"] == ["a"])
    }

    @Test func movesBoundsIntoTheDescription() {
        let adapted = StructuredOutput.schema(from: [
            "type": "integer", "minimum": 1, "maximum": 10, "description": "A number",
        ])
        #expect(adapted == ["type": "integer", "description": "A number\n\n{minimum: 1, maximum: 10}"])
    }

    @Test func keepsWhatIsSupported() {
        let schema: JSON = [
            "type": "object", "additionalProperties": false,
            "properties": [
                "e": ["enum": ["x", "y"]], "c": ["const": 1], "r": ["$ref": "#/$defs/D"],
                "f": ["type": "string", "format": "date"],
                "m": ["type": "array", "items": ["type": "null"], "minItems": 1],
                "u": ["anyOf": [["type": "string"], ["type": "null"]]],
            ],
            "$defs": ["D": ["type": "boolean"]],
        ]
        #expect(StructuredOutput.schema(from: schema) == schema)
    }

    @Test func infersWhatHasAnObjectsOrAnArraysMembers() {
        let adapted = StructuredOutput.schema(from: ["properties": ["a": ["items": ["minimum": 1, "type": "integer"]]]])
        #expect(adapted["type"] == "object")
        #expect(adapted["additionalProperties"] == false)
        #expect(adapted["properties"]?["a"]?["type"] == "array")
        #expect(adapted["properties"]?["a"]?["items"]?["type"] == "integer")
        let either = StructuredOutput.schema(from: ["anyOf": [["properties": [:]], ["type": "null"]]])
        #expect(either["type"] == nil && either["anyOf"]?.arrayValue?.first?["type"] == "object")
        #expect(StructuredOutput.schema(from: ["$ref": "#/$defs/D", "properties": [:]])["type"] == nil)
    }

    @Test func narrowsWhatCannotBeSaid() {
        #expect(StructuredOutput.schema(from: [:]) == ["type": "string"])
        #expect(StructuredOutput.schema(from: true) == ["type": "string"])
        #expect(
            StructuredOutput.schema(from: ["oneOf": [["type": "string"], ["type": "integer"]]])
                == ["anyOf": [["type": "string"], ["type": "integer"]]])
        #expect(
            StructuredOutput.schema(from: ["type": "string", "format": "color"])
                == ["type": "string", "description": "{format: \"color\"}"])
        #expect(
            StructuredOutput.schema(from: ["type": "array", "items": ["type": "string"], "minItems": 3])["minItems"]
                == nil)
    }
}

@Suite struct UsageTallyTests {
    private func json(_ raw: JSON) -> JSON {
        var tally = UsageTally()
        tally.update(raw)
        return tally.json
    }

    @Test func classesAreDisjoint() {
        let usage = json([
            "input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 30,
            "cache_creation": ["ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20],
        ])
        #expect(
            usage == [
                "input_tokens": 3, "output_tokens": 4, "cache_read_tokens": 5, "cache_write_5m_tokens": 10,
                "cache_write_1h_tokens": 20,
            ])
    }

    @Test func writesWithoutALifetimeAreFiveMinuteWrites() {
        #expect(json(["cache_creation_input_tokens": 30])["cache_write_5m_tokens"] == 30)
        #expect(json(["cache_creation_input_tokens": 30, "cache_creation": .null])["cache_write_5m_tokens"] == 30)
        let partly = json([
            "cache_creation_input_tokens": 30,
            "cache_creation": ["ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 20],
        ])
        #expect(partly["cache_write_5m_tokens"] == 10)
        #expect(partly["cache_write_1h_tokens"] == 20)
    }

    @Test func nonsenseCountsAsNothingAndStaysVisible() {
        var tally = UsageTally()
        #expect(tally.jsonIfAny == nil)
        tally.update(["input_tokens": -1, "output_tokens": "7", "cache_read_input_tokens": 9_000_000_000_000])
        #expect(tally.json["input_tokens"] == 0)
        #expect(tally.json["output_tokens"] == 0)
        #expect(tally.json["cache_read_tokens"] == 0)
        #expect(tally.raw["output_tokens"] == "7")
    }
}
