import Domain
import Testing

@testable import Engine

@Suite struct InputPatternTests {
    private static func matches(_ pattern: String, _ text: String) throws -> Bool? {
        var steps = InputPattern.maximumSteps
        return try InputPattern(pattern).matches(text, steps: &steps)
    }

    private static let patterns = [
        "", "a", "abc", "a|b", "a|", "|", "(a|b)*c", "a*", "a+", "a?", "a{3}", "a{2,}", "a{0,2}", "a*?b+?", "(ab){2,3}",
        "(?:a|bc)+", "(?<name>a)b", "^a+$", "a^b", "a$b", "(^|b)a", "(a*)*", "(a*)+b", "(a|aa)+$", "[a-c]+", "[^a-c]+",
        "[-a]+", "[a-]+", "[a\\-c]+", "[.]", "[\\]\\[]+", ".", "..", ".*", "\\d+", "\\D+", "\\w+", "\\W", "\\s+",
        "\\S+",
        "[\\d\\s]+", "[^\\w]+", "\\.", "\\/\\-\\$", "\\x41", "\\u0041", "\\u{1F600}", "\\p{L}+", "\\p{Lu}\\p{Ll}*",
        "\\P{L}+",
        "[\\p{L}\\p{N}][\\p{L}\\p{N} .&-]{1,48}[\\p{L}\\p{N}]", "([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,24}",
        "^[a-zA-Z0-9\\s]{3,50}$", ".{10,300}", "é", "[é]+", "(?i)abc", "(?i)[a-c]+",
    ]

    private static let texts = [
        "", "a", "b", "c", "ab", "abc", "aab", "aaa", "abab", "ababab", "bc", "a\n", "\n", "\r\n", " ", "\t", "-", ".",
        "/-$",
        "[]", "A", "ABC", "aBc", "1", "12 3", "٣", "_", "é", "e\u{301}", "É", "ß", "日本", "😀", "👨‍👩‍👧", "Tide & Co.",
        "shop.example.com",
        "-bad.example.com", "My Shop 3000", "0123456789", "x1y", "\u{2028}",
    ]

    /// The same answers as Swift's own engine gives, for all that both know.
    @Test(arguments: patterns) func `agrees with the regular expressions that it stands for`(pattern: String) throws {
        let regex = try Regex(pattern)
        for text in Self.texts {
            let expected = try regex.wholeMatch(in: text) != nil
            #expect(try Self.matches(pattern, text) == expected, "\(pattern) on \(text.debugDescription)")
        }
    }

    @Test func `agrees on patterns made by chance`() throws {
        var random = SystemlessGenerator(state: 7)
        let pieces = [
            "a", "b", "c", ".", "[ab]", "[^a]", "(", ")", "(?:", "|", "*", "+", "?", "{2}", "{0,2}", "{1,}", "^", "$",
        ]
        var compared = 0
        for _ in 0..<4_000 {
            let count = Int.random(in: 1...8, using: &random)
            let pattern = (0..<count).map { _ in pieces.randomElement(using: &random)! }.joined()
            guard let ours = try? InputPattern(pattern), let theirs = try? Regex(pattern) else { continue }
            compared += 1
            for _ in 0..<5 {
                let text = String(
                    (0..<Int.random(in: 0...7, using: &random)).map { _ in "abc".randomElement(using: &random)! })
                var steps = InputPattern.maximumSteps
                let expected = try theirs.wholeMatch(in: text) != nil
                #expect(ours.matches(text, steps: &steps) == expected, "\(pattern) on \(text)")
            }
        }
        #expect(compared > 500)
    }

    @Test(arguments: [
        "(", ")", "a)", "(a", "[", "[]", "[a", "[b-a]", "[\\d-z]", "*", "a**", "a+++", "a{", "a{x}", "a{2,1}", "{2}",
        "\\", "\\q",
        "\\p", "\\p{Klingon}", "\\p{L", "\\x4", "\\u{110000}", "\\u{D800}", "(?=a)", "(?!a)", "(?<=a)", "(?<!a)",
        "(?>a)",
        "(?#x)", "a(?i)b", "(a)\\1", "\\b", "\\k<n>", "[[:alpha:]]", "[a&&b]", "(?<n", "(?P<n>a)",
    ])
    func `what it does not know is refused with a reason`(pattern: String) {
        let fault = #expect(throws: InputPattern.Fault.self) { try InputPattern(pattern) }
        #expect(fault?.description.isEmpty == false)
    }

    /// What takes a backtracking matcher longer than anyone lives.
    @Test(arguments: [
        "(a+)+$", "(a|aa)+$", "(a|a?)+$", "([a-zA-Z]+)*$", "(.*a){20}", "(x+x+)+y", "(a*)*b", "((a*)*)*b",
        "(.*)*(.*)*(.*)*x",
        "^(([a-z])+.)+[A-Z]([a-z])+$", "(?:(?:a?){20}){20}a{20}",
    ])
    func `no pattern takes more than its states times the text`(pattern: String) throws {
        let compiled = try InputPattern(pattern)
        let text = String(repeating: "a", count: InputDeclaration.maximumPatternSubject - 1) + "!"
        var steps = Int.max
        #expect(compiled.matches(text, steps: &steps) == false)
        #expect(Int.max - steps <= 2 * compiled.states * (text.count + 1))
    }

    @Test func `work is counted, and ends when it is spent`() throws {
        let pattern = try InputPattern("(.{0,60}){0,60}x")
        let text = String(repeating: "a", count: InputDeclaration.maximumPatternSubject)
        var steps = 100_000
        #expect(pattern.matches(text, steps: &steps) == nil)
        // At most what one state leads to is done beyond.
        #expect(steps > -2 * pattern.states)
        #expect(pattern.matches("x", steps: &steps) == nil)
    }

    @Test(arguments: [
        "a{9999999999999999999999}", "(a{100}){101}", "((((a{99}){99}){99}){99}){99}", ".{1,9999}", "(a|b|c|d){2000}",
        String(repeating: "(", count: 500) + String(repeating: ")", count: 500),
        String(repeating: "(?:", count: 60) + "a",
        String(repeating: "(a?){9}", count: 200) + "{9}",
    ])
    func `a pattern that repeats or nests too much is refused before it is built`(pattern: String) {
        #expect(throws: InputPattern.Fault.self) { try InputPattern(pattern) }
    }

    @Test func `what is within the limits is not`() throws {
        #expect(try InputPattern(".{1,4096}").states <= InputPattern.maximumStates)
        #expect(try Self.matches("((((){9999}){9999}){9999}){9999}", "") == true)
        let depth = InputPattern.maximumDepth
        let nested = String(repeating: "(", count: depth) + "a" + String(repeating: ")", count: depth)
        #expect(try Self.matches(nested, "a") == true)
    }
}
