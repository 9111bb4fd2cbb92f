import Domain
import Foundation
import Testing

@testable import Sandbox

/// Answers read from folders, and what ships as answers.
@Suite(.timeLimit(.minutes(1))) struct AnswerDirectoryTests {
    @Test func `a step's files and what it borrows become one answer`() throws {
        let directory = try folder([
            "shop/plan/answer.json": #"{"contains": "plan", "summary": "A plan."}"#,
            "shop/build/answer.json": #"""
            {"pattern": "Build (?<name>[^.]+)\\.", "summary": "⟦name⟧ is built.", "files_from": ["shared/core"],
             "values": {"accent": "teal"}, "fields": {"notes": ["for ⟦name⟧"]},
             "field_files": {"schema": "shared/core/files/schema.sql"}}
            """#,
            "shop/build/files/web/page.js": "price.replace(/(\\d)/, '$1'); // ⟦name⟧ in ⟦accent⟧, ⟦⟧ and ⟦a b⟧",
            "shop/build/files/app.json": #"{"name": "⟦name⟧"}"#,
            "shop/build/files/__pycache__/main.pyc": "left behind", "shop/build/files/.draft": "left behind",
            "shared/core/files/schema.sql": "CREATE TABLE ⟦name⟧ ();",
        ])
        let fixtures = try AnswerFixtures(directory: directory)
        #expect(fixtures.fixture(for: "a plan")?.summary == "A plan.")
        let built = try #require(fixtures.fixture(for: "Please Build it, Build \"⟦accent⟧\" $1.\n"))
        #expect(built.summary == "it, Build \"⟦accent⟧\" $1 is built.")
        #expect(
            built.files == [
                .init(path: "app.json", content: #"{"name": "it, Build \"⟦accent⟧\" $1"}"#),
                .init(
                    path: "web/page.js",
                    content: "price.replace(/(\\d)/, '$1'); // it, Build \"⟦accent⟧\" $1 in teal, ⟦⟧ and ⟦a b⟧"),
                .init(path: "schema.sql", content: "CREATE TABLE it, Build \"⟦accent⟧\" $1 ();"),
            ])
        #expect(built.fields["notes"] == ["for it, Build \"⟦accent⟧\" $1"])
        #expect(built.fields["schema"]?.stringValue?.hasPrefix("CREATE TABLE it") == true)
        #expect(fixtures.fixture(for: "Build nothing") == nil)
    }

    @Test func `a fault is named with its file`() throws {
        let good = #"{"contains": "x", "summary": "s"}"#
        let faults: [([String: String], String)] = [
            (["a/b/answer.json": "{"], "a/b/answer.json"), (["a/b/answer.json": "[]"], "must be an object"),
            (["a/b/answer.json": #"{"summary": "s"}"#], "contains or pattern"),
            (["a/b/answer.json": #"{"contains": "x", "pattern": "x", "summary": "s"}"#], "contains or pattern"),
            (["a/b/answer.json": #"{"contains": "x"}"#], "summary must be a string"),
            (["a/b/answer.json": #"{"contains": "x", "summary": "s", "file": []}"#], "\"file\" is not a member"),
            (["a/b/answer.json": #"{"pattern": "(", "summary": "s"}"#], "no regular expression"),
            (["a/b/answer.json": #"{"contains": "x", "summary": "⟦name⟧"}"#], "⟦name⟧ in the summary"),
            (["a/b/answer.json": good, "a/b/files/x.py": "⟦nmae⟧"], "⟦nmae⟧ in x.py"),
            (["a/b/answer.json": #"{"contains": "x", "summary": "s", "files_from": ["../c"]}"#], "set/step"),
            (["a/b/answer.json": #"{"contains": "x", "summary": "s", "files_from": ["a/b"]}"#], "set/step"),
            (["a/b/answer.json": #"{"contains": "x", "summary": "s", "files_from": ["c/d"]}"#], "c/d/files"),
            (["a/b/answer.json": #"{"contains": "x", "summary": "s", "values": {"a": 1}}"#], "a must be a string"),
            (
                ["a/b/answer.json": #"{"contains": "x", "summary": "s", "field_files": {"f": "../../etc/passwd"}}"#],
                "must stay where it is"
            ),
            (
                [
                    "a/b/answer.json": #"{"contains": "x", "summary": "s", "files_from": ["c/d"]}"#,
                    "a/b/files/Main.py": "1", "c/d/files/main.py": "2",
                ], "two of its files have the path main.py"
            ),
        ]
        for (files, word) in faults {
            let directory = try folder(files)
            let error = #expect(throws: SandboxError.self) { try AnswerFixtures(directory: directory) }
            #expect(error?.description.contains(word) == true, "\(error?.description ?? "none") for \(word)")
        }
        #expect(throws: SandboxError.self) { try AnswerFixtures(directory: "/nowhere/at/all") }
    }

    @Test func `bytes that are no text, long files and links are refused`() throws {
        let good = #"{"contains": "x", "summary": "s"}"#
        let directory = try folder(["a/b/answer.json": good, "a/b/files/x.bin": ""])
        let file = directory + "/a/b/files/x.bin"
        for (content, word) in [
            (Data([0x61, 0xFF]), "x.bin: is not UTF-8"),
            (Data(count: AnswerFixtures.maximumFileBytes + 1), "x.bin: is longer than"),
        ] {
            try content.write(to: URL(fileURLWithPath: file))
            let error = #expect(throws: SandboxError.self) { try AnswerFixtures(directory: directory) }
            #expect(error?.description.contains(word) == true, "\(error?.description ?? "none")")
        }
        try FileManager.default.removeItem(atPath: file)
        try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: "/etc/passwd")
        let error = #expect(throws: SandboxError.self) { try AnswerFixtures(directory: directory) }
        #expect(error?.description.contains("neither a file nor a folder") == true)
    }

    @Test func `a pattern is found behind much that begins like it`() {
        let prompt = String(repeating: "Build (not yet) …\n", count: 5_000) + "Build Tidewatch."
        let match = AnswerFixtures.Match.pattern(#"Build (?<name>\w+)\."#)
        #expect(match.beginning == "Build " && match.captures(in: prompt) == ["name": "Tidewatch"])
        #expect(AnswerFixtures.Match.pattern("ab?c").beginning == "a")
        #expect(AnswerFixtures.Match.pattern("b|a").captures(in: "xa") == [:])
        #expect(AnswerFixtures.Match.pattern("(?<x>q)?z").captures(in: "z") == ["x": ""])
    }

    /// The prompts of the specification's own template, as a run renders them.
    static let specification = [
        "Plan a Invoice Pilot SaaS architecture with features: user_authentication, api_endpoints. Include database "
            + "schema, API endpoints, and component structure.",
        "Generate Next.js frontend code for Invoice Pilot with components for user_authentication, api_endpoints. Use "
            + "Tailwind CSS and TypeScript.",
        "Create FastAPI backend for Invoice Pilot with endpoints for user_authentication, api_endpoints. Include "
            + "database models and authentication.",
        "Add Stripe subscription billing to Invoice Pilot with plans: Basic ($9/month), Pro ($29/month), Enterprise "
            + "($99/month)",
        "Generate comprehensive tests for Invoice Pilot including unit tests, integration tests, and E2E tests.",
    ]

    @Test func `the specification's prompts get one application whose files go together`() throws {
        let fixtures = try AnswerFixtures(directory: Self.shipped)
        let files = try Self.application(from: Self.specification, fixtures)
        for path in ["main.py", "Procfile", "requirements.txt", "README.md", "schema.sql", "tests/test_pages.py"] {
            #expect(files[path] != nil, "\(path) is missing")
        }
        let settings = try JSON.parse(Array(try #require(files["app.json"]).utf8))
        #expect(
            settings == [
                "name": "Invoice Pilot", "features": "user_authentication, api_endpoints", "accent": "indigo",
            ])
        let plan = fixtures.fixture(for: Self.specification[0])
        #expect(plan?.fields["database_schema"]?.stringValue == files["schema.sql"])
        #expect(fixtures.fixture(for: "Plan a bakery") == nil)
    }

    /// Its steps may say 8,192 tokens, for the template asks for no more.
    @Test func `no answer to the specification's prompts is cut off`() throws {
        let fixtures = try AnswerFixtures(directory: Self.shipped)
        for prompt in Self.specification {
            let answer = try #require(fixtures.fixture(for: prompt))
            let whole: JSON = [
                "summary": .string(answer.summary), "fields": .object(answer.fields),
                "files": .array(answer.files.map { ["path": .string($0.path), "content": .string($0.content)] }),
            ]
            #expect(TokenCount.tokens(in: whole.text) <= 8_192, "\(prompt)")
        }
    }

    @Test(arguments: [
        ("saas-starter", ["app.json", "main.py", "schema.sql", "Procfile", "tests/test_pages.py"]),
        ("subscription-box", ["app.json", "main.py", "schema.sql", "Procfile", "tests/test_shop.py"]),
        ("documentation-site", ["app.json", "main.py", "Procfile", "content/welcome.md", "tests/test_handbook.py"]),
        ("market-brief", ["launch-brief.md"]),
    ]) func `every prompt of a shipped template has an answer`(_ name: String, _ expected: [String]) throws {
        let prompts = try Self.prompts(of: name)
        try #require(prompts.count >= 3)
        let files = try Self.application(from: prompts, AnswerFixtures(directory: Self.shipped))
        for path in expected { #expect(files[path] != nil, "\(path) is missing") }
        if let settings = files["app.json"] {
            #expect(try JSON.parse(Array(settings.utf8))["name"] == "Tide & Watch")
        }
    }

    /// The merged files of the answers to some prompts, each with those before it as its context.
    private static func application(from prompts: [String], _ fixtures: AnswerFixtures) throws -> [String: String] {
        var context = ""
        var files: [String: String] = [:]
        for prompt in prompts {
            let answer = try #require(
                fixtures.fixture(for: "<context>\n\(context)\n</context>\n\n\(prompt)"), "\(prompt)")
            for file in answer.files {
                #expect(files[file.path] == nil, "\(file.path) comes twice")
                #expect(AnswerMarker.names(in: file.content).isEmpty, "\(file.path)")
                files[file.path] = file.content
            }
            context += answer.summary + answer.files.map(\.content).joined()
        }
        return files
    }

    /// The prompts of a template, with something for each reference. Reads no more of YAML than these files need.
    private static func prompts(of name: String) throws -> [String] {
        let text = try String(contentsOfFile: "\(shipped)/../\(name).yaml", encoding: .utf8)
        let values = [
            "app_name": "Tide & Watch", "product_name": "Tidewatch", "features": "api_endpoints, admin_dashboard",
            "sections": "story, getting_started", "accent": "teal", "theme": "tea", "currency": "eur", "tone": "plain",
            "about": "Tells harbour masters what the next twelve hours bring.", "audience": "harbour masters",
        ]
        return text.components(separatedBy: "prompt_template: |\n").dropFirst().map { part in
            let lines = part.split(separator: "\n", omittingEmptySubsequences: false)
                .prefix { $0.isEmpty || $0.hasPrefix("        ") }
            return lines.map { $0.dropFirst(8) }.joined(separator: "\n")
                .replacing(/{{([a-z_.]+)}}/) { values[String($0.1)] ?? "what was planned" }
        }
    }

    static var shipped: String {
        "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/templates/answers"
    }

    private func folder(_ files: [String: String]) throws -> String {
        let root = FileManager.default.temporaryDirectory.path + "/answers-\(UUID().uuidString)"
        for (path, content) in files {
            let file = URL(fileURLWithPath: root + "/" + path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(content.utf8).write(to: file)
        }
        return root
    }
}
