import Domain
import Testing

@testable import Engine

@Suite struct TemplateCompilerTests {
    private let compiler = TemplateCompiler(dispatch: ServedRoutes.usual)

    private func compile(_ text: String) throws -> Template {
        try compiler.compile(Array(text.utf8), file: nil)
    }

    private func action(_ template: Template, _ step: Int) -> AIAction? {
        if case .ai(let action) = template.plan.steps[step].action { action } else { nil }
    }

    @Test func `defaults`() throws {
        let template = try compile(TemplateText.valid)
        let step = template.plan.steps[0]
        #expect(step.timeout == .seconds(600))
        #expect(step.maximumAttempts == 3)
        #expect(!step.isOptional)
        #expect(action(template, 0)?.maximumOutputTokens == 8_192)
        #expect(action(template, 0)?.model == nil)
        #expect(template.author == nil)
        #expect(template.estimatedCostMaximum == nil)
        #expect(template.plan.steps[2].outputNames == ["release", "deployment_result"])
    }

    @Test func `fields of an AI step`() throws {
        let text = TemplateText.replacing(
            "expected_output: draft",
            by: """
                expected_output: draft
                      model: claude-haiku-4-5
                      system: Be brief.
                      max_output_tokens: 128000
                      max_attempts: 1
                      timeout_minutes: 0.001
                """)
        let template = try compile(text)
        #expect(action(template, 0)?.model == "claude-haiku-4-5")
        #expect(action(template, 0)?.system == "Be brief.")
        #expect(action(template, 0)?.maximumOutputTokens == 128_000)
        #expect(template.plan.steps[0].maximumAttempts == 1)
        #expect(template.plan.steps[0].timeout == .milliseconds(60))
    }

    @Test func `a reference to an output is a dependency`() throws {
        let template = try compile(TemplateText.replacing("      depends_on: [draft]\n", by: ""))
        #expect(template.plan.steps.map(\.dependencies) == [[], [0], [1]])
    }

    @Test(arguments: ["draft", "first_draft", "1", "\"1\""])
    func `a dependency by output, slug or id`(name: String) throws {
        let text = TemplateText.replacing("[draft]", by: "[\(name), draft]")
        #expect(try compile(text).plan.steps[1].dependencies == [0])
    }

    @Test func `nested references make nested objects`() throws {
        let text = TemplateText.replacing(
            "{{draft.title}}", by: "{{draft.a.b}} {{first_draft.a.c}} {{draft.a}} {{draft.summary}} {{draft.files}}")
        let schema = try action(compile(text), 0)?.answerSchema
        #expect(schema?["required"] == ["summary", "files", "a"])
        #expect(
            schema?["properties"]?["a"] == [
                "type": "object", "properties": ["b": ["type": "string"], "c": ["type": "string"]],
                "required": ["b", "c"], "additionalProperties": false,
            ])
    }

    @Test func `a provider may be a constant of deployment_config`() throws {
        let text = TemplateText.replacing("source: \"{{final}}\"", by: "provider: '{{deployment_config.provider}}'")
        #expect(try compile(text).plan.steps[2].routeKey == .command("deploy_application", provider: "railway"))
        let without = TemplateText.replacing("    deployment_config:\n      provider: railway\n", by: "")
        #expect(try compile(without).plan.steps[2].routeKey == .command("deploy_application", provider: "core"))
    }

    @Test func `literal braces are written with a backslash`() throws {
        let template = try compile(TemplateText.replacing("{{topic}}", by: #"\{{topics}} and }}"#))
        #expect(action(template, 0)?.promptTemplate == #"Write about \{{topics}} and }}."#)
    }

    @Test func `all faults of a template are found at once, in document order`() {
        let text = TemplateText.valid.replacing("claude", with: "cloude").replacing("id: demo", with: "id: de mo")
            .replacing("{{topic}}", with: "{{topi}}").replacing("[app_url]", with: "[app_uri]")
        let error = #expect(throws: Diagnostics.self) { try compile(text) }
        #expect(error?.all.compactMap(\.line) == [3, 21, 22, 27, 39])
        #expect(error?.all.map(\.pointer).last == "/template/success_criteria/required_outputs/0")
    }

    @Test func `what a broken step would have been called is no second fault`() {
        let text = TemplateText.replacing("type: ai_call", by: "type: aicall")
        let error = #expect(throws: Diagnostics.self) { try compile(text) }
        #expect(error?.all.map(\.code) == ["unknown_value"])
    }

    @Test func `a stored definition has pointers and no lines`() throws {
        var source = try compile(TemplateText.valid).source
        var template = source["template"] ?? .null
        template.set("cleanup_on_failure", ["x/y"])
        source.set("template", template)
        let error = #expect(throws: Diagnostics.self) { try compiler.compile(source) }
        #expect(error?.all.map(\.pointer) == ["/template/cleanup_on_failure/0"])
        #expect(error?.all.first?.line == nil)
    }

    @Test func `two hundred steps compile, one more does not`() throws {
        func chain(_ count: Int) -> String {
            let head = TemplateText.valid.prefix(
                through: TemplateText.valid.firstRange(of: "execution_steps:")!.upperBound)
            return head
                + (1...count).map { number in
                    """
                        - {step_id: \(number), name: Step \(number), type: ai_call, ai_provider: claude,
                           prompt_template: "Go", depends_on: [\(number > 1 ? "\(number - 1)" : "")]}
                    """
                }.joined(separator: "\n")
        }
        #expect(try compile(chain(200)).plan.steps.last?.dependencies == [198])
        let error = #expect(throws: Diagnostics.self) { try compile(chain(201)) }
        #expect(error?.all.map(\.code) == ["too_many"])
    }

    @Test func `an unserved provider on a host without plugins`() {
        let error = #expect(throws: Diagnostics.self) {
            try TemplateCompiler(dispatch: ServedRoutes(routes: [])).compile(Array(TemplateText.valid.utf8), file: nil)
        }
        #expect(error?.all.map(\.code) == ["unserved_provider", "unserved_provider", "unserved_command"])
        #expect(error?.all.first?.message.contains("none is served here") == true)
    }
}
