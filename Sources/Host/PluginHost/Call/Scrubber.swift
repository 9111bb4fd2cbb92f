import Domain

/// Makes a plugin's text fit to be shown: no secret value, bounded, one kind of line break.
struct Scrubber: Sendable {
    static let maximumBytes = 2_048

    /// Longest first, so that a secret that contains another is replaced as a whole.
    private let values: [String]

    init(_ secrets: SecretScope) {
        values = secrets.allValues.sorted { $0.utf8.count > $1.utf8.count }
    }

    func clean(_ text: String) -> String {
        var text = text
        for value in values where text.contains(value) { text = text.replacing(value, with: "[secret]") }
        guard text.utf8.count > Self.maximumBytes else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: Self.maximumBytes)
        while String.Index(end, within: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return text[..<end] + "…"
    }
}
