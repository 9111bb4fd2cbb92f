import Domain
import Engine
import Testing

@Suite struct ReferenceTemplateTests {
    private static let scope = ReferenceScope(
        configuration: [
            "name": "Tide", "list": ["a", 1, ["b", "c"], ["k": 1]], "none": .null, "evil": "{{name}} }} {{",
            "shadowed": "configuration",
        ],
        deploymentConfig: ["provider": "railway", "checks": true],
        outputs: [
            "plan": ["title": "T", "count": 3, "price": .decimal("8.50"), "parts": ["x": [10, 20]]],
            "shadowed": "output",
        ])

    private static let texts: [(String, String)] = [
        ("", ""), ("plain } text", "plain } text"), ("{{name}}", "Tide"), ("a {{ name }}b{{name}}", "a TidebTide"),
        ("{{list}}", #"a, 1, b, c, {"k":1}"#), ("{{none}}", ""), ("{{deployment_config.checks}}", "true"),
        ("{{deployment_config}}", #"{"provider":"railway","checks":true}"#), ("{{plan.price}}", "8.50"),
        ("{{plan.parts.x.1}}", "20"), ("{{shadowed}}", "output"), (#"\{{name}} }}"#, "{{name}} }}"),
        ("{{evil}}", "{{name}} }} {{"),
    ]

    @Test(arguments: texts)
    func `references inside text`(text: String, rendered: String) throws {
        #expect(try Self.scope.render(text) == rendered)
    }

    @Test func `a string that is one reference keeps the type, deep inside a value`() throws {
        let value: JSON = [
            "count": "{{plan.count}}", "text": "n={{plan.count}}", "list": ["{{deployment_config.checks}}", 7],
            "{{name}}": "{{list}}", "none": "{{none}}", "braces": #"\{{x}}"#,
        ]
        #expect(
            try Self.scope.renderValue(value) == [
                "count": 3, "text": "n=3", "list": [true, 7], "{{name}}": ["a", 1, ["b", "c"], ["k": 1]], "none": .null,
                "braces": "{{x}}",
            ])
    }

    @Test(arguments: ["absent", "plan.absent", "plan.title.x", "plan.parts.x.2", "plan.parts.x.-1", "none.x"])
    func `a reference to nothing is an error that names it`(path: String) {
        #expect(throws: ReferenceError.unbound(path)) { try Self.scope.render("a {{\(path)}}") }
        #expect(throws: ReferenceError.unbound(path)) { try Self.scope.renderValue(["a": [.string("{{\(path)}}")]]) }
    }

    @Test(arguments: [
        "{{", "{{name", "{{}}", "{{ }}", "{{a.}}", "{{.a}}", "{{a..b}}", "{{a b}}", "{{a}", "{{{a}}}", "{{a\n}}",
        "{{é}}",
        "{{{{a}}}}",
        "{{a|upper}}", "{{secret:x}}", "{{\(String(repeating: "a", count: 300))}}",
    ])
    func `malformed references are refused`(text: String) {
        #expect(throws: ReferenceSyntaxError.self) { try ReferenceTemplate(text) }
    }

    @Test func `the rendered size is limited`() throws {
        let scope = ReferenceScope(
            configuration: ["big": .string(String(repeating: "x", count: 1_048_576))], deploymentConfig: .null)
        #expect(try scope.render("{{big}}{{big}}{{big}}{{big}}").utf8.count == 4_194_304)
        #expect(throws: ReferenceError.tooLarge(limit: 4_194_304)) { try scope.render("{{big}}{{big}}{{big}}{{big}}x") }
    }

    @Test func `references are listed in order`() throws {
        let template = try ReferenceTemplate("{{a.b}} {{c}} {{a.b}}")
        #expect(template.references.map(\.name) == ["a.b", "c", "a.b"])
        #expect(template.references.map(\.text) == ["{{a.b}}", "{{c}}", "{{a.b}}"])
    }
}
