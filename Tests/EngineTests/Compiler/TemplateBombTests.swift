import Domain
import Testing

@testable import Engine

/// Templates that would cost more than they are worth: each compiles or is refused by a limit that is named, and what
/// compiles comes back from where it is stored.
@Suite struct TemplateBombTests {
    private static func compile(_ text: String) throws(Diagnostics) -> Template {
        try TemplateCompiler(dispatch: ServedRoutes.usual).compile(Array(text.utf8), file: nil)
    }

    private static func compile(_ piece: String, _ other: String) throws(Diagnostics) -> Template {
        try compile(TemplateText.replacing(piece, by: other))
    }

    /// `pointer code` of each finding, a row each.
    private static func faults(_ piece: String, _ other: String) -> [String] {
        do {
            _ = try compile(piece, other)
            return []
        } catch {
            return error.all.map { "\($0.pointer) \($0.code)" }
        }
    }

    private static let prompt = "/template/execution_steps/0/prompt_template"
    private static let last = "/template/execution_steps/1/prompt_template"

    @Test func `a template has ten thousand references and no more`() throws {
        let most = TemplateCompiler.maximumReferences - 2
        let text = "\"" + String(repeating: "{{topic}}", count: most) + "\""
        #expect(try Self.compile("Write about {{topic}}.", text).plan.steps.count == 3)
        let one = Self.faults(
            "Write about {{topic}}.",
            text.replacing("\"{{topic}}", with: "\"{{topic}}{{topic}}{{topic}}{{topic}}", maxReplacements: 1))
        #expect(one.count == 1 && one[0].hasSuffix(" too_many"))
        let million = String(repeating: "{{a}}", count: 180_000)
        #expect(Self.faults("Write about {{topic}}.", "\"\(million)\"") == ["\(Self.prompt) too_many"])
    }

    @Test func `an answer has a thousand fields and no more`() throws {
        func text(_ count: Int) -> String { "\"" + (0..<count).map { "{{draft.f\($0)}}" }.joined() + "\"" }
        #expect(
            try Self.compile("Improve {{draft.title}}.", text(TemplateCompiler.maximumAnswerFields)).plan.steps.count
                == 3)
        let one = Self.faults("Improve {{draft.title}}.", text(TemplateCompiler.maximumAnswerFields + 1))
        #expect(one == ["\(Self.last) too_many"])
        // Parts of fields are fields.
        let deep = "\"" + (0..<80).map { "{{draft.f\($0).a.b.c.d.e.f.g.h.i.j.k.l.m}}" }.joined() + "\""
        #expect(Set(Self.faults("Improve {{draft.title}}.", deep)) == ["\(Self.last) too_many"])
    }

    @Test func `the deepest path there may be comes back from where it is stored`() throws {
        func text(_ names: Int) -> String {
            "\"{{draft." + (1..<names).map { "n\($0)" }.joined(separator: ".") + "}}\""
        }
        let template = try Self.compile("Improve {{draft.title}}.", text(ReferenceScan.maximumReferenceNames))
        #expect(try ExecutionPlan(try JSON.parse(template.plan.json.text)) == template.plan)
        #expect(
            Self.faults("Improve {{draft.title}}.", text(ReferenceScan.maximumReferenceNames + 1))
                == ["\(Self.last) malformed_reference"])
    }

    @Test func `the deepest document comes back from where it is stored`() throws {
        // Five levels are above the value.
        let levels = SourceReader.maximumDepth - 5
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        let template = try Self.compile("source: \"{{final}}\"", "source: \(nested(levels))")
        #expect(try ExecutionPlan(try JSON.parse(template.plan.json.text)) == template.plan)
        let faults = Self.faults("source: \"{{final}}\"", "source: \(nested(levels + 2))")
        #expect(faults.count == 1 && faults[0].hasSuffix(" too_deep"))
    }

    /// Thousands of texts on one line, each of which could hold references.
    @Test func `a line of many texts is read once`() throws {
        let strings = String(repeating: "\"{\",", count: 20_000)
        let template = try Self.compile("source: \"{{final}}\"", "source: [\(strings) \"{{final}}\"]")
        #expect(template.plan.steps[2].dependencies == [1])
        let spelled = String(repeating: "\"\\x7b\\x7btopic}}\",", count: 5_000)
        #expect(try Self.compile("source: \"{{final}}\"", "source: [\(spelled)]").plan.steps.count == 3)
    }

    /// Each value below a long name would carry it in its place.
    @Test func `a long name is not copied for each value below it`() throws {
        let name = String(repeating: "n", count: 1_000)
        let path = (0..<20).map { _ in "{\(name): " }.joined()
        let text =
            "source: \(path)[\(String(repeating: "0,", count: 20_000)) \"{{nothing}}\"]\(String(repeating: "}", count: 20))"
        let error = #expect(throws: Diagnostics.self) { try Self.compile("source: \"{{final}}\"", text) }
        #expect(error?.all.map(\.code) == ["unknown_reference"])
        let pointer = try #require(error?.all.first?.pointer)
        #expect(pointer.hasSuffix("/20000") && pointer.utf8.count < 20 * 210 + 100)
    }

    @Test func `a schema of many references is read once`() throws {
        let schema = String(repeating: "{{draft.sql}}", count: 5_000)
        let database =
            "    - {step_id: 4, name: Base, type: system_call, command: setup_database, parameters: {schema: \"\(schema)\"}}"
        let template = try Self.compile("  success_criteria:", "\(database)\n  success_criteria:")
        guard case .ai(let action) = template.plan.steps[0].action else { throw Missing() }
        #expect(action.answerSchema["properties"]?["sql"]?["description"]?.stringValue?.contains("DDL") == true)
    }

    private struct Missing: Error {}

    @Test(
        arguments: [
            ("    deployment_config:", "\(inputs)\n    deployment_config:", "required_inputs"),
            ("depends_on: [draft]", "depends_on: [\(list(201))]", "depends_on"),
            ("required_outputs: [app_url]", "required_outputs: [\(list(1_001))]", "required_outputs"),
            (
                "required_outputs: [app_url]",
                "health_checks: [\((0..<21).map { _ in "{type: http_response, url: \"http://x\"}" }.joined(separator: ", "))]",
                "health_checks"
            ),
            ("default: surf", "options: [\(list(201))]", "options"),
            ("cleanup_on_failure: [delete_deployment]", "cleanup_on_failure: [\(list(1_001))]", "cleanup_on_failure"),
        ] as [(String, String, String)])
    func `lists end somewhere`(piece: String, other: String, field: String) {
        let faults = Self.faults(piece, other)
        #expect(faults.contains { $0.hasSuffix("/\(field) too_many") }, "\(faults.prefix(3))")
    }

    private static func list(_ count: Int) -> String { (0..<count).map { "x\($0)" }.joined(separator: ", ") }

    private static let inputs = (0..<201).map { "      - {key: k\($0), type: boolean, optional: true}" }
        .joined(separator: "\n")

    @Test func `steps end somewhere`() {
        let steps = (0..<201).map {
            "    - {step_id: s\($0), name: S\($0), type: ai_call, ai_provider: claude, prompt_template: x}"
        }
        let faults = Self.faults("  success_criteria:", steps.joined(separator: "\n") + "\n  success_criteria:")
        #expect(faults.contains("/template/execution_steps too_many"))
    }

    @Test func `a hundred faults are enough, and none repeats what the others say`() throws {
        let unknown = (0..<9_000).map { "{{unknown\($0)}}" }.joined()
        #expect(Self.faults("Write about {{topic}}.", "\"\(unknown)\"").count == Findings.maximum)
        // Options that are as long as a text may be, in each message about what is none of them.
        let options = (0..<100).map { "\"\(String(repeating: "o", count: 2_000))\($0)\"" }.joined(separator: ", ")
        let error = #expect(throws: Diagnostics.self) {
            try Self.compile(
                "type: string\n        validation: '[a-z ]{3,40}'\n        default: surf",
                "type: array\n        options: [\(options)]\n        default: [\(Self.list(300))]")
        }
        #expect(error?.all.count == Findings.maximum)
        #expect(error?.all.allSatisfy { $0.message.utf8.count < 3_000 } == true)
    }

    @Test(arguments: [
        ("a{9999}{9999}", "invalid_pattern"), ("(((a{99}){99}){99}){99}", "invalid_pattern"),
        ("(?=a)", "invalid_pattern"),
    ])
    func `a pattern that is too much is refused`(pattern: String, code: String) {
        #expect(
            Self.faults("'[a-z ]{3,40}'", "'\(pattern)'").map { $0.split(separator: " ").last.map(String.init) } == [
                code
            ])
    }

    @Test func `a default that takes too long to match is refused`() {
        let text = String(repeating: "a", count: InputDeclaration.maximumPatternSubject)
        let faults = Self.faults(
            "'[a-z ]{3,40}'\n        default: surf", "'(.{0,60}){0,60}x'\n        default: \(text)")
        #expect(faults == ["/template/configuration/required_inputs/0/default default_does_not_fit"])
    }

    // MARK: What a run would do with it

    @Test func `a value that is referred to again and again ends somewhere`() throws {
        let large = JSON.string(String(repeating: "x", count: 262_144))
        let scope = ReferenceScope(configuration: ["x": large], deploymentConfig: [:])
        let most = ReferenceTemplate.maximumRenderedBytes / 262_144
        let parameters = JSON.array([JSON](repeating: "{{x}}", count: most))
        #expect(try scope.renderValue(parameters).arrayValue?.count == most)
        let error = #expect(throws: ReferenceError.self) {
            try scope.renderValue(.array([JSON](repeating: "{{x}}", count: most + 1)))
        }
        #expect(error == .tooLarge(limit: ReferenceTemplate.maximumRenderedBytes))
        let texts = JSON.array([JSON](repeating: "a {{x}}", count: most))
        #expect(throws: ReferenceError.self) { try scope.renderValue(texts) }
        // Files are not part of what a provider is told.
        let file: JSON = ["path": "a", "content": large]
        let files = ReferenceScope(configuration: ["x": ["files": [file]]], deploymentConfig: [:])
        #expect(try files.renderValue(.array([JSON](repeating: "{{x}}", count: 100))).arrayValue?.count == 100)
    }

    @Test func `a value is put no deeper than a record of it can be`() throws {
        func nested(_ depth: Int, _ inner: JSON) -> JSON { (0..<depth).reduce(inner) { value, _ in [value] } }
        let scope = ReferenceScope(configuration: ["x": nested(20, 1)], deploymentConfig: [:])
        let room = ReferenceTemplate.maximumRenderedDepth - 20
        #expect(try scope.renderValue(nested(room, "{{x}}")) == nested(room + 20, 1))
        let error = #expect(throws: ReferenceError.self) { try scope.renderValue(nested(room + 1, "{{x}}")) }
        #expect(error == .tooDeep(limit: ReferenceTemplate.maximumRenderedDepth))
    }

    @Test func `a model is sent so much and no more`() throws {
        let action = AIAction(
            provider: "claude", model: nil, system: nil, promptTemplate: "", maximumOutputTokens: 1, answerSchema: [:])
        let part = JSON.string(String(repeating: "x", count: AIExchange.maximumBytes / 4))
        func exchange(_ count: Int) -> AIExchange {
            AIExchange(action: action, prompt: "", context: (0..<count).map { ("s\($0)", part) })
        }
        #expect(throws: Never.self) { try exchange(4).checkSize() }
        #expect(throws: ReferenceError.self) { try exchange(5).checkSize() }
    }
}
