import Domain
import Engine
import Testing

@Suite struct ConfigurationValidatorTests {
    private static let inputs = [
        input("name", .string, pattern: "[a-z]+"),
        input("size", .string, options: ["small", "large"], defaultValue: "small"),
        input("features", .array, options: ["a", "b"], defaultValue: ["a"]),
        input("count", .integer, isOptional: true), input("ratio", .number, isOptional: true),
        input("flag", .boolean, isOptional: true), input("extra/more", .object, isOptional: true),
    ]

    private static func input(
        _ key: String, _ kind: InputDeclaration.Kind, pattern: String? = nil, options: [JSON]? = nil,
        defaultValue: JSON? = nil, isOptional: Bool = false
    ) -> InputDeclaration {
        InputDeclaration(
            key: key, kind: kind, label: nil, description: nil, pattern: pattern, options: options,
            defaultValue: defaultValue, isOptional: isOptional)
    }

    @Test func `defaults are filled in, declared order is kept, absent optional inputs stay absent`() throws {
        let accepted = try ConfigurationValidator.validate(
            ["count": 3, "flag": .null, "name": "x"], against: Self.inputs)
        #expect(accepted.text == #"{"name":"x","size":"small","features":["a"],"count":3}"#)
    }

    @Test func `a whole number is a number`() throws {
        let accepted = try ConfigurationValidator.validate(["name": "x", "ratio": 2], against: Self.inputs)
        #expect(accepted["ratio"] == 2)
    }

    private static let refusals: [(JSON, [String])] = [
        ([], ["wrong_type /configuration"]), ([:], ["missing_input /configuration/name"]),
        (["name": 1], ["wrong_type /configuration/name"]), (["name": .null], ["wrong_type /configuration/name"]),
        (["name": "Upper"], ["pattern_mismatch /configuration/name"]),
        // The whole of the string has to match.
        (["name": "abc1"], ["pattern_mismatch /configuration/name"]),
        (["name": "x", "size": "smal"], ["not_an_option /configuration/size → small"]),
        (
            ["name": "x", "features": ["a", "c", 1]],
            ["not_an_option /configuration/features/1 → a", "not_an_option /configuration/features/2 → a"]
        ),
        (["name": "x", "features": "a"], ["wrong_type /configuration/features"]),
        (["name": "x", "count": .decimal("1.5")], ["wrong_type /configuration/count"]),
        (["name": "x", "flag": "true"], ["wrong_type /configuration/flag"]),
        (["name": "x", "extra/more": []], ["wrong_type /configuration/extra~1more"]),
        (["nam": "x"], ["missing_input /configuration/name", "unknown_input /configuration/nam → name"]),
    ]

    @Test(arguments: refusals)
    func `what does not fit is said with its place`(configuration: JSON, expected: [String]) {
        let error = #expect(throws: Diagnostics.self) {
            try ConfigurationValidator.validate(configuration, against: Self.inputs)
        }
        let found = error?.all.map { "\($0.code) \($0.pointer)" + ($0.suggestion.map { " → \($0)" } ?? "") }
        #expect(found == expected)
    }

    @Test func `limits on length, size and nesting`() {
        func codes(_ configuration: JSON, _ inputs: [InputDeclaration]) -> [String] {
            do {
                _ = try ConfigurationValidator.validate(configuration, against: inputs)
                return []
            } catch {
                return error.all.map(\.code)
            }
        }
        let patterned = [Self.input("k", .string, pattern: "a*")]
        #expect(codes(["k": .string(String(repeating: "a", count: 4_096))], patterned) == [])
        #expect(codes(["k": .string(String(repeating: "a", count: 4_097))], patterned) == ["too_long"])
        let plain = [Self.input("k", .string)]
        #expect(codes(["k": .string(String(repeating: "a", count: 262_142))], plain) == [])
        #expect(codes(["k": .string(String(repeating: "a", count: 262_143))], plain) == ["too_large"])
        let nested = (0..<15).reduce(JSON.array([])) { value, _ in [value] }
        #expect(codes(["k": nested], [Self.input("k", .array)]) == ["too_deep"])
        #expect(codes(["k": nested[0]], [Self.input("k", .array)]) == [])
    }
}

extension JSON {
    fileprivate subscript(position: Int) -> JSON { arrayValue?[position] ?? .null }
}
