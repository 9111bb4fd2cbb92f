import Domain
import Testing

@testable import PluginHost

@Suite struct ScrubberTests {
    private let scrubber = Scrubber(SecretScope(["KEY": .init("s3cr3t-value"), "FILE": .init("two\nlines")]))

    @Test(arguments: [
        ("plain Grüße 👩‍👧", "plain Grüße 👩‍👧"), ("a s3cr3t-value\u{301} b", "a [secret]\u{301} b"),
        ("two\nlines", "[secret]"), ("a\r\nb\tc", "a\\r\\nb\\tc"), ("\u{1B}[2J", "\\u{1B}[2J"),
        ("\u{9B}x\u{2028}y\u{202E}z\u{7F}", "\\u{009B}x\\u{2028}y\\u{202E}z\\u{7F}"), ("", ""),
    ])
    func showsWhatIsHarmless(text: String, expected: String) {
        #expect(scrubber.clean(text) == expected)
        #expect(scrubber.clean(Array(text.utf8), isCut: false) == expected)
    }

    @Test func isBoundedWhateverItHolds() {
        for text in ["x", "é", "\n", "s3cr3t-value"] {
            let clean = scrubber.clean(String(repeating: text, count: 10_000))
            #expect(clean.utf8.count <= Scrubber.maximumBytes + 3 && clean.hasSuffix("…"))
        }
    }

    @Test func aSecretThatIsCutOffIsNotShownInPart() {
        #expect(scrubber.clean(Array("the key s3cr3t-val".utf8), isCut: true) == "the key ")
        #expect(scrubber.clean(Array("the key s3cr3t-val".utf8), isCut: false) == "the key s3cr3t-val")
    }
}
