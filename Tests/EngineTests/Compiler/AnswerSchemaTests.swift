import Domain
import Testing

@testable import Engine

@Suite struct AnswerSchemaTests {
    private static let schema: JSON = {
        var fields = AnswerFields()
        fields.require(["plan", "title"])
        fields.require(["note"])
        return AnswerSchema.schema(for: fields)
    }()

    private static let good: JSON = [
        "summary": "s", "files": [["path": "a", "content": "b"]], "plan": ["title": "t"], "note": "",
    ]

    @Test func `an answer that fits has no faults`() {
        #expect(AnswerSchema.faults(of: Self.good, against: Self.schema) == [])
    }

    private static let bad: [(String, JSON?, [String])] = [
        ("summary", nil, ["the answer must have the member \"summary\""]),
        ("summary", 5, ["/summary must be of type string, not integer"]),
        (
            "files", [["path": "a"], 7],
            ["/files/0 must have the member \"content\"", "/files/1 must be of type object, not integer"]
        ),
        ("plan", ["title": "t", "sub/title": "u"], ["/plan/sub~1title is not a member that was asked for"]),
        ("plan", "t", ["/plan must be of type object, not string"]),
        ("more", 1, ["/more is not a member that was asked for"]),
        ("note", .null, ["/note must be of type string, not null"]),
    ]

    @Test(arguments: bad)
    func `faults name the place`(member: String, value: JSON?, expected: [String]) {
        var answer = Self.good
        answer.set(member, value)
        #expect(AnswerSchema.faults(of: answer, against: Self.schema) == expected)
    }

    @Test func `numbers and enumerations`() {
        #expect(AnswerSchema.faults(of: 5, against: ["type": "number"]) == [])
        #expect(AnswerSchema.faults(of: .decimal("5.5"), against: ["type": "integer"]).count == 1)
        #expect(
            AnswerSchema.faults(of: "c", against: ["enum": ["a", "b"]]) == [#"the answer must be one of "a", "b""#])
    }

    @Test func `at most twenty faults are told`() {
        let files = JSON.array(Array(repeating: 1, count: 50))
        var answer = Self.good
        answer.set("files", files)
        #expect(AnswerSchema.faults(of: answer, against: Self.schema).count == 20)
    }
}
