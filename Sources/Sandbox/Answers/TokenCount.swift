/// A deterministic stand-in for a provider's tokenizer: four bytes of UTF-8 a token, rounded up.
enum TokenCount {
    static let bytesPerToken = 4

    static func tokens(in text: String) -> Int { (text.utf8.count + bytesPerToken - 1) / bytesPerToken }

    /// The longest beginning of the text that has at most so many tokens.
    static func prefix(of text: String, tokens: Int) -> String {
        guard tokens < Self.tokens(in: text) else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: tokens * bytesPerToken)
        while text.utf8[end] & 0xC0 == 0x80 { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }
}
