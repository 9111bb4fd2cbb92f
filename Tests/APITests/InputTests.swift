import Testing

@testable import API

@Suite struct InputTests {
    @Test(arguments: [
        "a@example.com", "Ada.Lovelace+x@mail.example.co.uk", "o'brien@example.com", "a@xn--bcher-kva.example",
        "a@1.example", String(repeating: "l", count: 64) + "@example.com",
    ])
    func acceptsAddresses(text: String) {
        #expect(EmailAddress(text)?.text == text.lowercased())
    }

    @Test(arguments: [
        "", "a", "@example.com", "a@", "a@b", "a@@example.com", "a b@example.com", "a@exa mple.com", ".a@example.com",
        "a.@example.com", "a..b@example.com", "a@-example.com", "a@example-.com", "a@example..com", "a@1.2.3.4",
        "a@example.com\n", "ü@example.com", "a@bücher.example", "\"a\"@example.com", "a@[127.0.0.1]",
        String(repeating: "l", count: 65) + "@example.com", "a@" + String(repeating: "d.", count: 126) + "com",
    ])
    func refusesWhatIsNoAddress(text: String) {
        #expect(EmailAddress(text) == nil)
    }

    @Test(arguments: [
        "https://example.com", "http://example.com:8080/a?b=c#d", "HTTPS://EXAMPLE.com", "https://[::1]/x",
    ])
    func acceptsWebhookURLs(url: String) {
        #expect(WebhookURL.fault(url) == nil)
    }

    @Test(arguments: [
        "", "example.com", "ftp://example.com", "https:/example.com", "https://", "https:///path", "https://:80",
        "https://user:pass@example.com", "https://exa mple.com", "https://example.com/\u{7F}", "javascript:alert",
        "https://bücher.example", "https://" + String(repeating: "a", count: 2_048),
    ])
    func refusesOtherURLs(url: String) {
        #expect(WebhookURL.fault(url) != nil)
    }

    @Test func base64HasOneSpellingForEachValue() {
        // RFC 4648, section 10.
        let vectors = ["": "", "f": "Zg", "fo": "Zm8", "foo": "Zm9v", "foob": "Zm9vYg", "fooba": "Zm9vYmE"]
        for (plain, encoded) in vectors {
            #expect(Base64.encode(Array(plain.utf8)) == encoded)
            #expect(Base64.decode(encoded) == Array(plain.utf8))
        }
        #expect(Base64.encodeURLSafe([0xFB, 0xFF]) == "-_8")
        #expect(Base64.decodeURLSafe("-_8") == [0xFB, 0xFF])
        for bad in ["Z", "Zh", "Zm9", "Zg==", "Z g", "+/8"] { #expect(Base64.decodeURLSafe(bad) == nil, "\(bad)") }
    }
}
