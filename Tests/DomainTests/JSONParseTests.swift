import Domain
import Testing

@Suite struct JSONParseTests {
    private static let valid: [(String, JSON)] = [
        ("null", JSON.null), (" true ", true), ("false\n", false), ("0", 0), ("-0", 0), ("-17", -17),
        ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
        ("9223372036854775808", .decimal("9223372036854775808")), ("8.50", .decimal("8.50")),
        ("1e3", .decimal("1e3")), ("2E-06", .decimal("2E-06")), ("1e+308", .decimal("1e+308")),
        ("1e00009", .decimal("1e00009")), (#""""#, ""), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
        (#""\u00e9\uD83D\uDE00\ud83d\ude00""#, "é😀😀"), (#""\u0041\u00Ff""#, "A\u{FF}"),
        ("\"é 😀 \u{7F}\"", "é 😀 \u{7F}"),
        ("[]", []), ("[1,[2],{}]", [1, [2], [:]]), (#"{"b":1,"a":{"c":[]}}"#, ["b": 1, "a": ["c": []]]),
        ("\t{ \"a\" :\r\n1 , \"\" : 2 }", ["a": 1, "": 2]),
    ]

    @Test(arguments: valid)
    func `valid texts`(text: String, value: JSON) throws {
        #expect(try JSON.parse(text) == value)
    }

    private static let invalid: [(String, String, Int, Int)] = [
        ("", "unexpected end of text", 1, 1), ("  ", "unexpected end of text", 1, 3),
        ("nul", "expected a value", 1, 1), ("truex", "unexpected text after the value", 1, 5),
        ("[1,]", "expected a value", 1, 4), ("[1 2]", "expected ',' or ']'", 1, 4), ("[1", "expected ',' or ']'", 1, 3),
        ("{\"a\":1,}", "expected a member name in quotes", 1, 8), ("{a:1}", "expected a member name in quotes", 1, 2),
        ("{\"a\" 1}", "expected ':' after the member name", 1, 6), ("{\"a\":1", "expected ',' or '}'", 1, 7),
        ("{\n  \"a\": 1,\n  \"a\": 2\n}", "the member \"a\" is given twice", 3, 3),
        ("{\"a\":1,\"\\u0061\":2}", "the member \"a\" is given twice", 1, 8),
        ("01", "unexpected text after the value", 1, 2), ("-", "expected a digit", 1, 2),
        ("1.", "expected a digit", 1, 3),
        (".5", "expected a value", 1, 1), ("+1", "expected a value", 1, 1), ("1e", "expected a digit", 1, 3),
        ("1e-309", "a number's exponent is above 308", 1, 1), ("NaN", "expected a value", 1, 1),
        ("\"abc", "a string is not closed", 1, 1), ("\"a\nb\"", "a control character must be escaped", 1, 3),
        ("\"\u{0}\"", "a control character must be escaped", 1, 2), (#""\x""#, "unknown escape sequence", 1, 2),
        (#""\u12G4""#, "expected four hexadecimal digits", 1, 6),
        (#""\u+123""#, "expected four hexadecimal digits", 1, 4),
        (#""\u0000""#, "U+0000 is not allowed in a string", 1, 2),
        (#""\uD83D""#, "a lone surrogate is not a character", 1, 2),
        (#""\uD83Dx""#, "a lone surrogate is not a character", 1, 2),
        (#""\uD83DA""#, "a lone surrogate is not a character", 1, 2),
        (#""\uDE00\uD83D""#, "a lone surrogate is not a character", 1, 2),
        ("\u{FEFF}1", "a byte order mark is not allowed", 1, 1), ("1 1", "unexpected text after the value", 1, 3),
        ("'a'", "expected a value", 1, 1), ("/**/1", "expected a value", 1, 1),
    ]

    @Test(arguments: invalid)
    func `invalid texts`(text: String, reason: String, line: Int, column: Int) {
        let error = #expect(throws: JSONError.self) { try JSON.parse(text) }
        #expect(error?.reason == reason)
        #expect(error?.line == line)
        #expect(error?.column == column)
    }

    @Test func `bytes that are not UTF-8 are refused, or repaired on request`() throws {
        let bytes = Array("[\"a".utf8) + [0xC3] + Array("\"]".utf8)
        let error = #expect(throws: JSONError.self) { try JSON.parse(bytes) }
        #expect(error?.reason == "a string is not valid UTF-8")
        #expect(try JSON.parse(bytes, .init(repairsStrings: true)) == ["a\u{FFFD}"])
    }

    private static let repaired: [(String, String)] = [
        (#""a\u0000b""#, "a\u{FFFD}b"), (#""\uD800""#, "\u{FFFD}"), (#""\uD800\uD83D\uDE00""#, "\u{FFFD}😀"),
        (#""\uDC00x""#, "\u{FFFD}x"), (#""\uD800\n""#, "\u{FFFD}\n"),
    ]

    @Test(arguments: repaired)
    func `what jsonb cannot hold is replaced on request`(text: String, value: String) throws {
        #expect(try JSON.parse(text, .init(repairsStrings: true)) == .string(value))
    }

    @Test func `nesting is limited`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth)
        }
        #expect(throws: Never.self) { try JSON.parse(nested(64)) }
        let error = #expect(throws: JSONError.self) { try JSON.parse(nested(65)) }
        #expect(error?.reason == "nested deeper than 64 levels")
        // Refused at the limit, not when the stack ends.
        #expect(throws: JSONError.self) { try JSON.parse(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: JSONError.self) { try JSON.parse(String(repeating: "{\"a\":", count: 1_000_000)) }
    }

    @Test func `a number keeps its digits up to a thousand of them`() throws {
        let digits = String(repeating: "7", count: 1_000)
        #expect(try JSON.parse(digits) == .decimal(digits))
        #expect(throws: JSONError.self) { try JSON.parse(digits + "7") }
    }

    @Test func `no prefix and no changed byte of a text makes the parser crash`() {
        let text = Array(#"{"a":[1,-2.5e+3,"x\u00e9\uD83D\uDE00\n",true,null],"b":{"":{}}}"#.utf8)
        for length in text.indices { _ = try? JSON.parse(Array(text[..<length])) }
        for position in text.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = text
                changed[position] = byte
                guard let value = try? JSON.parse(changed) else { continue }
                #expect((try? JSON.parse(value.bytes)) == value)
            }
        }
    }
}
