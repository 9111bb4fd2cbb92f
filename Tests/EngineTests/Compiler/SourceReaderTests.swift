import Domain
import Testing

@testable import Engine

@Suite struct SourceReaderTests {
    private func read(_ text: String) throws -> JSON {
        try SourceReader.read(Array(text.utf8), file: nil).json
    }

    private func codes(_ text: String) -> [String] {
        do {
            _ = try SourceReader.read(Array(text.utf8), file: nil)
            return []
        } catch {
            return error.all.map(\.code)
        }
    }

    private static let scalars: [(String, JSON)] = [
        ("", .null), ("~", .null), ("null", .null), ("nULL", "nULL"), ("true", true), ("FALSE", false), ("yes", "yes"),
        ("on", "on"), ("0", 0), ("-7", -7), ("+7", 7), ("007", 7), ("0x1F", 31), ("0o17", 15), ("0b1", "0b1"),
        ("1_000", "1_000"), ("8.50", .decimal("8.50")), ("+.5", .decimal("0.5")), ("5.", 5),
        ("-01.50", .decimal("-1.50")),
        ("1e3", .decimal("1e3")), ("1.5E+03", .decimal("1.5e03")), ("1e", "1e"), (".", "."), ("-", ["-": .null]),
        ("1.2.3", "1.2.3"),
        ("2026-11-22", "2026-11-22"), ("12:30", "12:30"), ("0x", "0x"), ("0x+1", "0x+1"), ("'8.50'", "8.50"),
        ("\"true\"", "true"),
        ("!!str 5", "5"), ("! 5", "5"), ("٣", "٣"), ("9223372036854775808", .decimal("9223372036854775808")),
    ]

    @Test(arguments: scalars.filter { $0.0 != "-" })
    func `plain scalars are typed by the core schema of YAML 1_2`(text: String, value: JSON) throws {
        #expect(try read("a: \(text)") == ["a": value])
    }

    @Test func `JSON reads as JSON`() throws {
        let text = "{\"a\":[1,8.50,true,null,\"x\\u00e9\\uD83D\\uDE00\\n\\/\"],\n\t\"b\":{},\"c\\\\uD83D\":\"\"}"
        #expect(try read(text) == JSON.parse(text))
        #expect(try read(StarterTemplate.json) == JSON.parse(StarterTemplate.json))
    }

    @Test func `text with asterisks and ampersands is text`() throws {
        let text = "a: |\n  &x *x **bold** \u{E000}\nb: \"*x\"\nc: a *x\n'*d': 5 * 3\ne*: &anchor 1"
        #expect(
            try read(text) == [
                "a": "&x *x **bold** \u{E000}\n", "b": "*x", "c": "a *x", "*d": "5 * 3", "e*": 1,
            ])
    }

    @Test func `aliases are never expanded`() {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<30 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            bomb += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(Set(codes(bomb)) == ["alias"])
        // As a key, the parser itself would walk the expanded value.
        #expect(Set(codes(bomb + "? *a29\n: 1")) == ["alias"])
        #expect(codes("a: *unknown") == ["alias"])
    }

    @Test func `limits`() {
        #expect(codes(String(repeating: "#", count: SourceReader.maximumBytes)) == ["empty"])
        #expect(codes(String(repeating: "#", count: SourceReader.maximumBytes + 1)) == ["too_large"])
        #expect(codes(String(repeating: "[", count: 32) + String(repeating: "]", count: 32)) == [])
        #expect(codes(String(repeating: "[", count: 34) + String(repeating: "]", count: 34)) == ["too_deep"])
        for opening in ["[", "{a: ", "- ", "? ", "{", "[{"] {
            #expect(codes(String(repeating: opening, count: 100_000)).count == 1)
        }
    }

    @Test(arguments: [
        ("", "empty"), ("# nothing", "empty"), ("a: 1\n---\nb: 2", "syntax"), ("a: [1", "syntax"),
        ("a: \"\\q\"", "syntax"),
        ("\tb: 1", "syntax"), ("a: b: c", "syntax"), ("{\"a\": \"\\uD83D\"}", "syntax"), ("a: %", "syntax"),
        ("{\"a\": 1, \"a\": 2}", "duplicate_key"), ("\u{1}", "syntax"), ("a: 1e99999", "number"),
    ])
    func `what is not one document of JSON values is refused`(text: String, code: String) {
        #expect(codes(text) == [code])
    }

    @Test func `a template full of references or of unknown names is refused in time linear in its size`() {
        let compiler = TemplateCompiler(dispatch: ServedRoutes.usual)
        for filler in ["{{x}} ", "{{topic}} ", "{{", "\\u0020{{x}}"] {
            let prompt = String(repeating: filler, count: 150_000 / filler.utf8.count)
            let text = TemplateText.replacing("Write about {{topic}}.", by: "\"\(prompt)\"")
            _ = try? compiler.compile(Array(text.utf8), file: nil)
        }
        let names = (0..<20_000).map { "n\($0)" }.joined(separator: ",")
        for piece in ["app_url", "delete_deployment", "draft"] {
            let text = TemplateText.replacing("[\(piece)]", by: "[\(names)]")
            #expect(throws: Diagnostics.self) { try compiler.compile(Array(text.utf8), file: nil) }
        }
    }

    @Test func `bytes that are not UTF-8 are refused`() {
        let error = #expect(throws: Diagnostics.self) { try SourceReader.read([0x61, 0xFF], file: "x") }
        #expect(error?.all.map(\.code) == ["invalid_utf8"])
    }
}
