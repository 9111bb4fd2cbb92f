import Domain
import Testing

@testable import Engine

/// One broken template: what is replaced by what, and every diagnostic that follows.
struct BrokenTemplate: CustomTestStringConvertible, Sendable {
    let piece: String
    let other: String
    /// `line:column code`, and ` → suggestion` where there is one.
    let expected: [String]
    /// A part of the first message.
    let message: String

    init(_ piece: String, _ other: String, _ expected: String..., message: String) {
        self.piece = piece
        self.other = other
        self.expected = expected
        self.message = message
    }

    var testDescription: String { "\(expected.joined(separator: ", ")) (\(other))" }
}

@Suite struct BrokenTemplateTests {
    @Test(arguments: metadata + configuration + steps + dependencies + references + providers + criteria + syntax)
    func `says what is wrong, where, and the way out`(broken: BrokenTemplate) {
        let text = TemplateText.replacing(broken.piece, by: broken.other)
        let error = #expect(throws: Diagnostics.self) {
            try TemplateCompiler(dispatch: ServedRoutes.usual).compile(Array(text.utf8), file: "demo.yaml")
        }
        let found = error?.all.map { diagnostic in
            "\(diagnostic.line ?? 0):\(diagnostic.column ?? 0) \(diagnostic.code)"
                + (diagnostic.suggestion.map { " → \($0)" } ?? "")
        }
        #expect(found == broken.expected)
        #expect(error?.all.first?.message.contains(broken.message) == true, "\(error?.description ?? "")")
        #expect(error?.description.hasPrefix("demo.yaml:\(broken.expected[0].prefix { $0 != " " }): error: ") == true)
    }

    static let metadata = [
        BrokenTemplate(
            "template:", "templates:", "1:1 missing_field", "1:1 unknown_key → template", message: "\"template\""),
        BrokenTemplate(
            "name: Demo\n", "nmae: Demo\n", "3:5 missing_field", "4:5 unknown_key → name", message: "\"name\""),
        BrokenTemplate("id: demo", "id: My Demo!", "3:9 invalid_id → my-demo", message: "^[a-zA-Z0-9_-]+$"),
        BrokenTemplate("\"1.0.0\"", "1.0", "5:14 wrong_type", message: "a string; write \"1.0\" in quotes"),
        BrokenTemplate("\"1.0.0\"", "\"1.0\"", "5:14 invalid_version", message: "1.2.3"),
        BrokenTemplate("name: Demo\n", "name: ''\n", "4:11 empty_field", message: "must not be empty"),
        BrokenTemplate("name: Demo\n", "name: [Demo]\n", "4:11 wrong_type", message: "a string, not an array"),
        BrokenTemplate("beginner", "begginer", "8:17 unknown_value → beginner", message: "\"intermediate\""),
        BrokenTemplate(
            "complexity: beginner", "complexity: beginner\n    estimated_cost: {min: 2, max: 1.50}",
            "9:35 out_of_range", message: "less than"),
        BrokenTemplate(
            "complexity: beginner", "complexity: beginner\n    estimated_cost: {min: -2, max: lots}",
            "9:27 out_of_range", "9:36 wrong_type", message: "US dollars such as 8.50, not -2"),
        BrokenTemplate(
            "complexity: beginner", "complexity: beginner\n    estimated_time_minutes: 0", "9:29 out_of_range",
            message: "from 1 to"),
        BrokenTemplate(
            "complexity: beginner", "complexity: beginner\n    tags: [a, 1]", "9:15 wrong_type",
            message: "an array of strings, not of integers"),
    ]

    static let configuration = [
        BrokenTemplate("type: string", "type: strng", "12:15 unknown_value → string", message: "\"boolean\""),
        BrokenTemplate("type: string", "type: secret", "12:15 secret_input", message: "not supported in this version"),
        BrokenTemplate("[a-z ]{", "[a-z {", "13:21 invalid_pattern", message: "is not valid"),
        BrokenTemplate(
            "default: surf", "default: 5", "14:18 default_does_not_fit", message: "a string, not an integer"),
        BrokenTemplate("default: surf", "default: Surf", "14:18 default_does_not_fit", message: "the pattern [a-z ]"),
        BrokenTemplate(
            "default: surf", "default: surf\n        options: [surfing, tides]",
            "14:18 default_does_not_fit", message: "allowed are \"surfing\", \"tides\""),
        BrokenTemplate(
            "default: surf", "options: [surf, 7, surf]", "14:25 wrong_type", "14:28 duplicate_option",
            message: "type string, not an integer"),
        BrokenTemplate(
            "default: surf", "default: surf\n      - {key: topic, type: string}", "15:15 duplicate_input",
            message: "declared twice"),
        BrokenTemplate("default: surf", "optional: yes", "14:19 wrong_type", message: "true or false, not a string"),
        BrokenTemplate(
            "key: topic", "key: app_url", "11:14 reserved_name", "22:36 unknown_reference",
            message: "the execution itself binds"),
        BrokenTemplate("provider: railway", "provider: 7", "16:17 wrong_type", message: "a string, not an integer"),
        BrokenTemplate(
            "provider: railway", "provider: railway\n      auto_deploy: false", "17:20 approval_unsupported",
            message: "asks for an approval"),
        BrokenTemplate(
            "provider: railway", "provider: '{{topic}}'", "16:17 reference_not_allowed", message: "constants"),
    ]

    static let steps = [
        BrokenTemplate("step_id: 2", "step_id: 1", "24:16 duplicate_step_id", message: "\"First Draft\""),
        BrokenTemplate("step_id: 2", "step_id: two words", "24:16 invalid_id", message: "\"two words\""),
        BrokenTemplate("name: Final Cut", "name: First draft", "25:13 duplicate_output", message: "first_draft"),
        BrokenTemplate(
            "expected_output: final", "expected_output: topic", "30:24 duplicate_output",
            "36:18 unknown_reference", "37:20 unknown_dependency", message: "an input"),
        BrokenTemplate(
            "type: system_call", "type: systemcall", "33:13 unknown_value → system_call", message: "\"ai_call\""),
        BrokenTemplate(
            "type: system_call", "type: ai_call", "31:7 missing_field", "31:7 missing_field",
            "34:7 unknown_key", "35:7 unknown_key", "39:24 unknown_output", message: "prompt_template"),
        BrokenTemplate(
            "ai_provider: claude", "ai_provder: claude", "18:7 missing_field",
            "21:7 unknown_key → ai_provider", message: "needs the field \"ai_provider\""),
        BrokenTemplate(
            "expected_output: draft", "expected_output: draft\n      timeout_minutes: 241",
            "24:24 out_of_range", message: "above 0 and at most 240"),
        BrokenTemplate(
            "expected_output: draft", "expected_output: draft\n      timeout_minutes: soon",
            "24:24 wrong_type", message: "a number, not a string"),
        BrokenTemplate(
            "expected_output: draft", "expected_output: draft\n      max_output_tokens: 128001",
            "24:26 out_of_range", message: "from 1 to 128000"),
        BrokenTemplate(
            "expected_output: draft", "expected_output: draft\n      max_attempts: 11",
            "24:21 out_of_range", message: "from 1 to 10"),
        BrokenTemplate(
            "expected_output: draft", "expected_output: draft\n      system: For {{topic}}",
            "24:15 reference_not_allowed", message: "sent as it is written"),
        BrokenTemplate(
            "      parameters:\n        source: \"{{final}}\"", "      parameters: [a]", "35:19 wrong_type",
            message: "an object, not an array"),
    ]

    static let dependencies = [
        BrokenTemplate("[draft]", "[drfat]", "29:20 unknown_dependency → draft", message: "\"drfat\""),
        BrokenTemplate("[draft]", "[First Draft]", "29:20 unknown_dependency → first_draft", message: "slug"),
        BrokenTemplate("[draft]", "[true]", "29:20 wrong_type", message: "not contain a boolean"),
        BrokenTemplate("[draft]", "[2]", "29:20 cycle", message: "\"Final Cut\" depends on itself"),
        BrokenTemplate(
            "expected_output: draft", "depends_on: [release]\n      expected_output: draft", "23:20 cycle",
            message: "first_draft → release → final_cut → first_draft"),
        BrokenTemplate(
            "step_id: 3", "step_id: draft", "29:20 ambiguous_dependency", message: "\"First Draft\", \"Release\""),
    ]

    static let references = [
        BrokenTemplate(
            "{{topic}}", "{{topics}}", "22:36 unknown_reference → topic", message: "{{topics}} names nothing"),
        BrokenTemplate("{{topic}}", "{{ topic.size }}", "22:36 unknown_reference → topic", message: "has no parts"),
        BrokenTemplate("{{topic}}", "{{first_draft}}", "22:36 cycle", message: "refers to its own output"),
        BrokenTemplate("{{topic}}", "{{final.title}}", "22:36 cycle", message: "first_draft → final_cut → first_draft"),
        BrokenTemplate("{{topic}}", "{{}}", "22:36 malformed_reference", message: "names nothing"),
        BrokenTemplate("{{topic}}", "{{topic", "22:36 malformed_reference", message: "not closed"),
        BrokenTemplate("{{topic}}", "{{a b}}", "22:36 malformed_reference", message: "write \\{{ for literal braces"),
        BrokenTemplate("{{topic}}", "{{topic..x}} {{topic}}", "22:36 malformed_reference", message: "joined by dots"),
        BrokenTemplate("{{topic}}", "{{secret:key}}", "22:36 secret_reference", message: "never put into"),
        BrokenTemplate(
            "{{topic}}", "{{topic}} {{x}} {{x}}", "22:46 unknown_reference", "22:52 unknown_reference", message: "{{x}}"
        ),
        BrokenTemplate(
            "Write about {{topic}}.", "|\n        Write\n        about {{topc}}.", "24:15 unknown_reference → topic",
            message: "{{topc}}"),
        BrokenTemplate("{{draft.title}}", "{{draft.0}}", "28:32 unknown_reference", message: "is a position"),
        BrokenTemplate(
            "{{draft.title}}", "{{draft.summary.x}}", "28:32 unknown_reference → draft.summary", message: "is text"),
        BrokenTemplate(
            "{{topic}}", "{{deployment_config.providr}}", "22:36 unknown_reference → provider",
            message: "deployment_config has no \"providr\""),
        BrokenTemplate("{{topic}}", "{{app_url}}", "22:36 cycle", message: "first_draft → release"),
        BrokenTemplate(
            "{{topic}}", "{{admin_credentials.password}}", "22:36 secret_in_prompt", message: "in its environment"),
        BrokenTemplate(
            "source: \"{{final}}\"", "source: \"with {{admin_credentials}}\"", "36:23 secret_in_text",
            message: "make it the whole value"),
        BrokenTemplate(
            "source: \"{{final}}\"", "source: \"with {{release.admin_credentials.password}}\"", "36:23 secret_in_text",
            message: "make it the whole value"),
        BrokenTemplate(
            "default: surf", "optional: true", "22:36 maybe_unbound_reference", message: "give it a default"),
        BrokenTemplate(
            "expected_output: draft", "optional: true\n      expected_output: draft", "29:32 maybe_unbound_reference",
            message: "\"First Draft\" is optional"),
    ]

    static let providers = [
        BrokenTemplate(
            "ai_provider: claude", "ai_provider: cluade", "21:20 unserved_provider → claude",
            message: "served are \"claude\", \"openai_codex\""),
        BrokenTemplate(
            "deploy_application", "deploy_aplication", "34:16 unserved_command → deploy_application",
            "39:24 unknown_output", message: "\"setup_monitoring\""),
        BrokenTemplate(
            "provider: railway", "provider: raleway", "34:16 unserved_provider → railway",
            message: "served are \"core\", \"railway\""),
        BrokenTemplate(
            "source: \"{{final}}\"", "provider: '{{topic}}'", "36:19 provider_not_constant", message: "only a run knows"
        ),
        BrokenTemplate(
            "source: \"{{final}}\"", "provider: heroku", "36:19 unserved_provider",
            message: "the command \"deploy_application\" of the provider \"heroku\""),
    ]

    static let criteria = [
        BrokenTemplate("[app_url]", "[app_ulr]", "39:24 unknown_output → app_url", message: "no output of a step"),
        BrokenTemplate(
            "[delete_deployment]", "[delete_deploymnt]", "40:24 unknown_cleanup → delete_deployment",
            message: "\"cleanup_database\""),
        BrokenTemplate(
            "required_outputs: [app_url]", "health_checks: [{type: http_response, url: '{{app_ur}}/', status: 200}]",
            "39:49 unknown_reference → app_url", "39:63 unknown_key", message: "{{app_ur}}"),
    ]

    static let syntax = [
        BrokenTemplate("template:", "template: x", "2:11 syntax", message: "not valid YAML"),
        BrokenTemplate("name: Demo\n", "name: Demo\n    name: Again\n", "4:5 duplicate_key", message: "\"name\""),
        BrokenTemplate("name: Demo\n", "name: &x Demo\n    author: *x\n", "5:13 alias", message: "repeat the value"),
        BrokenTemplate("name: Demo\n", "name: !!binary Demo\n", "4:11 tag", message: "tag:yaml.org,2002:binary"),
        BrokenTemplate("name: Demo\n", "name: .nan\n", "4:11 number", message: ".nan"),
        BrokenTemplate("name: Demo\n", "name: \"a\\0\"\n", "4:11 nul", message: "U+0000"),
        BrokenTemplate("name: Demo\n", "name: \"Demo\n", "5:15 syntax", message: "not valid YAML"),
        BrokenTemplate("name: Demo\n", "? [a]\n    : b\n    name: Demo\n", "4:7 key_type", message: "a key must be"),
    ]
}
