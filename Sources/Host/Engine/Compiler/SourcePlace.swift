/// Where a value stands in the input it was read from.
struct SourcePlace: Sendable {
    let path: SourceTrail
    /// Line and column from 1; nil where the input was not a text.
    let line: Int?
    let column: Int?
    /// Position in document order, by which diagnostics are sorted.
    let order: Int
    /// What is meant, where it is only a piece of the text that stands here.
    var piece: Piece?

    /// A piece of a text: the last of some that follow each other there.
    struct Piece: Sendable {
        /// All that are looked for in this text; those of one text share them.
        let texts: [String]
        let index: Int
    }
}

/// The way from a document's root to a value. Written out only where something is found there: most of a document's
/// values are never spoken of, and the names on the way to them may be long.
final class SourceTrail: Sendable {
    private enum Step: Sendable {
        case name(String)
        case position(Int)
    }

    /// In each step; longer ones are cut off.
    private static let maximumCharacters = 200

    static let root = SourceTrail(nil, .position(0))

    private let parent: SourceTrail?
    private let step: Step

    private init(_ parent: SourceTrail?, _ step: Step) {
        self.parent = parent
        self.step = step
    }

    func member(_ name: String) -> SourceTrail { SourceTrail(self, .name(name)) }
    func element(_ index: Int) -> SourceTrail { SourceTrail(self, .position(index)) }

    /// RFC 6901 pointer to the value.
    var pointer: String {
        var tokens: [String] = []
        var trail = self
        while let parent = trail.parent {
            switch trail.step {
            case .position(let index): tokens.append(String(index))
            case .name(let name):
                let shown = String(
                    String.UnicodeScalarView(name.unicodeScalars.prefix(Self.maximumCharacters)))
                tokens.append(JSONPointer.escape(shown) + (shown.utf8.count < name.utf8.count ? "…" : ""))
            }
            trail = parent
        }
        return tokens.reversed().map { "/\($0)" }.joined()
    }

    /// Whether the way ends with these names.
    func ends(with names: [String]) -> Bool {
        var trail: SourceTrail? = self
        for name in names.reversed() {
            guard let current = trail, case .name(name) = current.step else { return false }
            trail = current.parent
        }
        return true
    }
}
