/// What can be wrong with any value, whatever it is for.
enum Malformed {
    /// One value of each of JSON's types, with the name that messages have for it.
    static let typed: [(json: String, type: String)] = [
        ("null", "null"), ("true", "boolean"), ("false", "boolean"), ("0", "integer"), ("-0", "integer"),
        ("-1", "integer"), ("9223372036854775807", "integer"), ("9223372036854775808", "number"), ("0.5", "number"),
        ("1e308", "number"), ("-1e-308", "number"), (String(repeating: "9", count: 1_000), "number"),
        (#""text""#, "string"), ("[]", "array"), ("[[[]]]", "array"), ("{}", "object"), (#"{"a":{"b":1}}"#, "object"),
    ]

    /// Bytes that are no JSON value, and a word of what the answer says about them.
    static let untyped: [(bytes: [UInt8], reason: String)] =
        [
            ("1e400", "exponent"), ("-1e-400", "exponent"), ("1e99999999999999999999", "exponent"),
            (String(repeating: "9", count: 1_001), "1000 digits"), ("NaN", "expected a value"), ("01", "expected"),
            ("+1", "expected a value"), (".5", "expected a value"), ("1.", "expected a digit"), ("0x10", "expected"),
            ("Infinity", "expected a value"), ("'text'", "expected a value"), ("undefined", "expected a value"),
            (#""\ud800""#, "surrogate"), (#""\udc00\ud800""#, "surrogate"), (#""\ud800\u0041""#, "surrogate"),
            (#""\u0000""#, "U+0000"), (#""\x41""#, "escape"), (#""\u12""#, "hexadecimal"),
            ("\"a\u{0}b\"", "control character"), ("\"a\nb\"", "control character"),
            ("\"a\u{1B}[2Jb\"", "control character"),
            (#"{"a":1,"a":2}"#, "given twice"), (#"{"a":1,"\u0061":2}"#, "given twice"), (#"{"a" 1}"#, "expected ':'"),
            (#"{"a":1,}"#, "member name"), ("{a:1}", "member name"), ("[1,]", "expected a value"),
            ("[1 2]", "expected ','"),
            (String(repeating: "[", count: 10_000), "deeper"), (nested(5_000), "deeper"), (nested(65), "deeper"),
            (String(repeating: #"{"a":"#, count: 2_000), "deeper"), ("", "expected a value"),
            ("/* */ 1", "expected a value"),
        ].map { (Array($0.0.utf8), $0.1) }
        + [
            ([0x22, 0xFF, 0x22], "UTF-8"), ([0x22, 0xC0, 0xAF, 0x22], "UTF-8"),
            ([0x22, 0xED, 0xA0, 0x80, 0x22], "UTF-8"),
            ([0x22, 0xF5, 0x80, 0x80, 0x80, 0x22], "UTF-8"), ([0x22, 0xE2, 0x82, 0x22], "UTF-8"),
            ([0xEF, 0xBB, 0xBF, 0x31], "expected a value"), ([0x80], "expected a value"),
        ]

    /// Values of a query's parameters, as they stand in a URL.
    static let parameters = [
        "", "%00", "a%00b", "%FF", "%C0%AF", "%ED%A0%80", "%", "%zz", "%0A", "%0D%0AX-Injected%3A1", "%1B%5B2J",
        "%E2%80%AE", "%F0%9F%98%80", "-1", "-0", "%2B1", "0.5", "1e400", "1e3", "0x10", "9223372036854775808",
        "-9223372036854775809", String(repeating: "9", count: 4_000), String(repeating: "a", count: 4_000), "null",
        "true",
        "%5B%5D", "%7B%7Bapp_url%7D%7D", "%24%7BHOME%7D", "..%2F..%2Fetc%2Fpasswd", "%27%20OR%201%3D1--",
        "%3Cscript%3E",
    ]

    /// Those of them that are names as well.
    static let identifiers: Set<String> = [
        "null", "true", "-1", "-0", "0x10", "1e3", "1e400", "9223372036854775808", "-9223372036854775809",
    ]

    /// What stands in a path where an id belongs, as it stands in a URL.
    static let ids = [
        "%00", "a%00b", "%FF", "%ED%A0%80", "%", "%zz", "%2E%2E", "..%2F..", "a%2Fb", "%0D%0A", "%E2%80%AE",
        "%F0%9F%98%80",
        "%7B%7Bx%7D%7D", "%27%20OR%201%3D1--", "a.b", "a%20b", "*", "%5C", "00000000-0000-0000-0000-0000000000000",
        "00000000-0000-0000-0000-00000000000g", "%7B019d1c2b-1f40-7a11-8c55-6d2b8a6f9e01%7D",
        String(repeating: "f", count: 8_000),
    ]

    private static func nested(_ depth: Int) -> String {
        String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
}
