import Domain

/// Makes a plugin's text fit to be shown: no secret value, bounded, and nothing in it that a terminal or a reader of
/// logs would obey.
struct Scrubber: Sendable {
    static let maximumBytes = 2_048

    private let secrets: SecretScrubber

    init(_ scope: SecretScope) { secrets = SecretScrubber(secrets: scope.allValues) }

    func clean(_ text: String) -> String { clean(text, upTo: Self.maximumBytes) }

    /// - Parameter limit: in bytes; what is longer is cut, and ends in `…` instead.
    func clean(_ text: String, upTo limit: Int) -> String { Self.shown(secrets.scrubbed(text), upTo: limit) }

    /// - Parameter isCut: more followed; what may be the beginning of a secret at the end is then left out.
    func clean(_ bytes: [UInt8], isCut: Bool) -> String {
        var secrets = secrets
        var clean = secrets.scrub(bytes)
        if !isCut { clean += secrets.flush() }
        return Self.shown(String(decoding: clean, as: UTF8.self), upTo: Self.maximumBytes)
    }

    private static func shown(_ text: String, upTo limit: Int) -> String {
        let text = bounded(text, limit)
        guard text.unicodeScalars.contains(where: isActive) else { return text }
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if isActive(scalar) {
                shown += scalar.escaped(asASCII: true).unicodeScalars
            } else {
                shown.append(scalar)
            }
        }
        return bounded(String(shown), limit)
    }

    /// Line breaks, terminal controls, and marks that turn the direction of the text around them.
    private static func isActive(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value >= 0x7F else { return scalar.value < 0x20 }
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: return true
        default: return scalar.properties.isBidiControl
        }
    }

    private static func bounded(_ text: String, _ limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: limit)
        while String.Index(end, within: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return text[..<end] + "…"
    }
}
