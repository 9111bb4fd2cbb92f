import Domain

/// The place in an answer's text where something of the prompt goes: `⟦app_name⟧`.
///
/// The brackets are those of mathematics (U+27E6, U+27E7), which Python, JavaScript, CSS, SQL, HTML, shell and regular
/// expressions give no meaning and programs have no use for. A name is ASCII letters, digits and `_`; brackets around
/// anything else are text.
enum AnswerMarker {
    /// The names of the markers in a text.
    static func names(in text: String) -> Set<String> {
        var names: Set<String> = []
        forEachPiece(of: text) { if case .marker(let name) = $0 { names.insert(name) } }
        return names
    }

    /// The text with each marker replaced once: what a value brings along is never read as a marker.
    ///
    /// - Parameters:
    ///   - values: a marker without one is left as it is.
    ///   - isJSON: the markers are inside of JSON strings, so that values are escaped for them.
    static func fill(_ text: String, with values: [String: String], isJSON: Bool = false) -> String {
        var filled = ""
        forEachPiece(of: text) { piece in
            switch piece {
            case .text(let text): filled += text
            case .marker(let name):
                switch values[name] {
                case let value? where isJSON: filled += JSON.string(value).text.dropFirst().dropLast()
                case let value?: filled += value
                case nil: filled += "⟦\(name)⟧"
                }
            }
        }
        return filled
    }

    private enum Piece {
        case text(Substring)
        case marker(String)
    }

    private static func forEachPiece(of text: String, _ body: (Piece) -> Void) {
        var done = text.startIndex
        var next = done
        while let start = text.firstRange(ofUTF8: "⟦", from: next) {
            next = start.upperBound
            let name = text[next...].prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            guard !name.isEmpty, text[name.endIndex...].first == "⟧" else { continue }
            body(.text(text[done..<start.lowerBound]))
            body(.marker(String(name)))
            done = text.index(after: name.endIndex)
            next = done
        }
        body(.text(text[done...]))
    }
}
