import Domain
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Sandbox

@Suite(.timeLimit(.minutes(1))) struct AnswerTests {
    /// Why a value does not fit a schema of the kind that structured outputs accept.
    static func faults(of value: JSON, against schema: JSON, root: JSON? = nil, at path: String = "") -> [String] {
        let root = root ?? schema
        if let reference = schema["$ref"]?.stringValue {
            let target = reference.dropFirst(2).split(separator: "/").reduce(root) { $0[String($1)] ?? .null }
            return faults(of: value, against: target, root: root, at: path)
        }
        if let constant = schema["const"] { return value == constant ? [] : ["\(path): not the constant"] }
        if let allowed = schema["enum"]?.arrayValue { return allowed.contains(value) ? [] : ["\(path): not allowed"] }
        if let branches = schema["anyOf"]?.arrayValue {
            return branches.contains { faults(of: value, against: $0, root: root).isEmpty }
                ? [] : ["\(path): no branch"]
        }
        switch (schema["type"]?.stringValue, value) {
        case ("string", .string), ("integer", .integer), ("number", .integer), ("boolean", .bool), ("null", .null):
            return []
        case ("array", .array(let elements)):
            return elements.enumerated().flatMap {
                faults(of: $1, against: schema["items"] ?? [:], root: root, at: "\(path)/\($0)")
            }
        case ("object", .object(let object)):
            let properties = schema["properties"]?.objectValue ?? JSONObject()
            let missing = (schema["required"]?.arrayValue ?? []).compactMap(\.stringValue).filter { object[$0] == nil }
            return missing.map { "\(path)/\($0): missing" }
                + object.members.flatMap { member in
                    properties[member.key].map {
                        faults(of: member.value, against: $0, root: root, at: "\(path)/\(member.key)")
                    } ?? ["\(path)/\(member.key): unknown"]
                }
        default: return ["\(path): \(value.typeName) for \(schema.text)"]
        }
    }

    static let richSchema: JSON = [
        "type": "object", "additionalProperties": false,
        "required": [
            "summary", "files", "database_schema", "level", "options", "owner", "parts", "mark", "due", "none",
        ],
        "properties": [
            "summary": ["type": "string"], "files": answerSchema["properties"]?["files"] ?? .null,
            "database_schema": ["type": "string"], "level": ["enum": ["low", "high"]],
            "options": [
                "type": "object", "additionalProperties": false, "required": ["size"],
                "properties": ["size": ["type": "integer"], "note": ["type": "string"]],
            ],
            "owner": ["$ref": "#/$defs/Person"], "parts": ["type": "array", "items": ["$ref": "#/$defs/Person"]],
            "mark": ["anyOf": [["type": "boolean"], ["type": "null"]]],
            "due": ["type": "string", "format": "date"], "none": ["type": "null"], "optional": ["type": "number"],
        ],
        "$defs": [
            "Person": [
                "type": "object", "additionalProperties": false, "required": ["name"],
                "properties": ["name": ["const": "Ada"]],
            ]
        ],
    ]

    @Test func answersFitTheirSchemaAndAreDeterministic() async throws {
        try await withSandbox { client in
            let request = body(["output_config": outputConfig(Self.richSchema), "stream": true])
            let first = try await client.message(request)
            #expect(first.status == .ok, "\(first.text)")
            let answer = try JSON.parse(try first.streamedText)
            #expect(Self.faults(of: answer, against: Self.richSchema) == [])
            #expect(answer["summary"] == "Sandbox answer to: Plan a bakery shop")
            #expect(answer["database_schema"] == "Database schema for: Plan a bakery shop")
            #expect(answer["files"]?.arrayValue?.first?["path"] == "README.md")
            #expect(answer["optional"] == nil)
            #expect(try await client.message(request).streamedText == (try first.streamedText))
        }
    }

    @Test func theCheckItselfFindsFaults() {
        #expect(!Self.faults(of: ["summary": 1], against: Self.richSchema).isEmpty)
        #expect(Self.faults(of: ["summary": "s", "files": [["path": "a"]]], against: answerSchema).count == 1)
    }

    @Test func fixturesAnswerWhatTheyMatch() async throws {
        var fields = JSONObject()
        fields["database_schema"] = "CREATE TABLE bread ()"
        fields["unasked"] = 1
        let fixtures = try AnswerFixtures([
            .init(
                match: .pattern("[Bb]akery (shop|site)"), summary: "A bakery.",
                files: [.init(path: "server.js", content: "listen()")],
                fields: fields),
            .init(match: .contains("garage"), summary: "A garage."),
        ])
        let schema: JSON = [
            "type": "object", "additionalProperties": false, "required": ["summary", "files", "database_schema", "n"],
            "properties": [
                "summary": ["type": "string"], "files": answerSchema["properties"]?["files"] ?? .null,
                "database_schema": ["type": "string"], "n": ["type": "integer"],
            ],
        ]
        try await withSandbox(fixtures: fixtures) { client in
            let structured = try await client.message(body(["output_config": outputConfig(schema)])).json
            let text = try #require(structured["content"]?.arrayValue?.first?["text"]?.stringValue)
            #expect(
                try JSON.parse(text) == [
                    "summary": "A bakery.", "files": [["path": "server.js", "content": "listen()"]],
                    "database_schema": "CREATE TABLE bread ()", "n": 1,
                ])
            let free = try await client.message(body()).json
            #expect(free["content"]?.arrayValue?.first?["text"] == "A bakery.\n\nserver.js:\n```\nlisten()\n```")
            let other = try await client.message(
                body(["messages": [["role": "user", "content": "a garage"]]])
            ).json
            #expect(other["content"]?.arrayValue?.first?["text"] == "A garage.")
        }
    }

    @Test func readsFixturesFromJSONAndNamesTheFault() throws {
        let good = try AnswerFixtures(json: [
            ["contains": "x", "summary": "s", "files": [["path": "p", "content": "c"]], "fields": ["a": 1]]
        ])
        #expect(good.fixture(for: "axe")?.files == [.init(path: "p", content: "c")])
        #expect(good.fixture(for: "bow") == nil)
        for (json, word): (JSON, String) in [
            ([:], "array"), ([["summary": "s"]], "contains or pattern"), ([["contains": "x"]], "[0].summary"),
            ([["contains": "x", "summary": "s", "files": [["path": "p"]]]], "[0].files[0]"),
            ([["pattern": "(", "summary": "s"]], "no regular expression"),
        ] {
            let error = #expect(throws: SandboxError.self) { try AnswerFixtures(json: json) }
            #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
        }
    }

    @Test func findsTheSubjectBehindItsContext() {
        #expect(
            AnswerText.subject(of: "<context>\n<plan>\nlong\n</plan>\n</context>\n\nBuild it.\nMore") == "Build it.")
        #expect(AnswerText.subject(of: " \n ") == "an empty prompt")
        #expect(AnswerText.subject(of: String(repeating: "x", count: 200)).count == 120)
    }

    @Test func cutsBetweenCodePoints() {
        #expect(TokenCount.prefix(of: "aaaé", tokens: 1) == "aaa")
        let pieces = Pace(latency: Latency(chunkBytes: 2), clock: ContinuousClock()).pieces(of: "aé👋b")
        #expect(pieces.joined() == "aé👋b")
        #expect(pieces == ["aé", "👋", "b"])
    }
}
