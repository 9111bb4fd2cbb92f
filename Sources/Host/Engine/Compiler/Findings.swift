import Domain

/// Collects diagnostics, so that an author sees everything that is wrong at once, in document order.
struct Findings {
    /// More than an author can use at once.
    static let maximum = 100

    private var entries: [(order: Int, diagnostic: Diagnostic)] = []
    /// Where pieces of texts are looked for; nil where the input was not a text.
    private let text: SourceText?

    init(text: SourceText? = nil) { self.text = text }

    var isEmpty: Bool { entries.isEmpty }
    /// Whether looking for more is wasted work.
    var isFull: Bool { entries.count >= Self.maximum }

    mutating func add(_ code: String, _ message: String, suggestion: String? = nil, at place: SourcePlace) {
        guard !isFull else { return }
        let exact = place.piece.flatMap { text?.position(of: $0, at: place) }
        let diagnostic = Diagnostic(
            code: code, message: message, suggestion: suggestion, pointer: place.path.pointer,
            line: exact?.line ?? place.line, column: exact?.column ?? place.column)
        entries.append((place.order, diagnostic))
    }

    /// The diagnostics in document order; those of one place in the order in which they were found.
    func diagnostics(file: String?) -> Diagnostics {
        let sorted = entries.enumerated().sorted {
            ($0.element.order, $0.element.diagnostic.line ?? 0, $0.element.diagnostic.column ?? 0, $0.offset)
                < ($1.element.order, $1.element.diagnostic.line ?? 0, $1.element.diagnostic.column ?? 0, $1.offset)
        }
        return Diagnostics(sorted.map(\.element.diagnostic), file: file)
    }
}
