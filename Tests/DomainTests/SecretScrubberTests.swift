import Domain
import Testing

@Suite struct SecretScrubberTests {
    private func scrub(_ pieces: [String], _ secrets: [String]) -> String {
        var scrubber = SecretScrubber(secrets: secrets)
        let bytes = pieces.flatMap { scrubber.scrub(Array($0.utf8)) } + scrubber.flush()
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func everyCutInTwoAndThreeGivesTheSame() {
        let text = "a sk-sk-live-1 b sk-live-1sk-live-1 c sk-liv sk-live-"
        let expected = "a sk-[secret] b [secret][secret] c sk-liv sk-live-"
        let bytes = Array(text)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                let pieces = [bytes[..<first], bytes[first..<second], bytes[second...]].map { String($0) }
                #expect(scrub(pieces, ["sk-live-1"]) == expected, "cut at \(first) and \(second)")
            }
        }
    }

    @Test func singleBytesGiveTheSame() {
        #expect(scrub("xxabcabcdyy".map { String($0) }, ["abc", "abcd"]) == "xx[secret][secret]yy")
    }

    @Test(arguments: [
        // A secret that begins another leaves no tail of the longer one.
        (["abcd"], ["abc", "abcd"], "[secret]"), (["ab", "cd"], ["abc", "abcd"], "[secret]"),
        (["abc"], ["abc", "abcd"], "[secret]"), (["abc", "x"], ["abc", "abcd"], "[secret]x"),
        // One secret inside another.
        (["xaby"], ["ab", "xaby"], "[secret]"), (["xabz"], ["ab", "xaby"], "x[secret]z"),
        (["aaaaa"], ["aa"], "[secret][secret]a"), (["ä", "öü"], ["äöü"], "[secret]"),
        (["plain"], [], "plain"), (["plain"], [""], "plain"), ([""], ["x"], ""),
    ])
    func replaces(pieces: [String], secrets: [String], expected: String) {
        #expect(scrub(pieces, secrets) == expected)
    }

    /// Bytes are compared: a mark that joins the secret's last character to another one does not hide it.
    @Test(arguments: [
        ("key s3cret\u{301}!", "key [secret]\u{301}!"), ("s3cre", "s3cre"), ("s3crets3cret", "[secret][secret]"),
        ("", ""),
    ])
    func scrubsWholeTexts(text: String, expected: String) {
        #expect(SecretScrubber(secrets: ["s3cret", ""]).scrubbed(text) == expected)
        #expect(SecretScrubber(secrets: []).scrubbed(text) == text)
    }

    @Test func holdsBackOnlyAPossibleBeginning() {
        var scrubber = SecretScrubber(secrets: ["secret-value"])
        #expect(scrubber.scrub(Array("data: sec".utf8)) == Array("data: ".utf8))
        #expect(scrubber.scrub(Array("ond".utf8)) == Array("second".utf8))
        #expect(scrubber.scrub(Array("no match".utf8)) == Array("no match".utf8))
        #expect(scrubber.flush().isEmpty)
    }
}
