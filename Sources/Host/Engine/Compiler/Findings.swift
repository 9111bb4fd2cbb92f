import Domain

/// Collects diagnostics, so that an author sees everything that is wrong at once, in document order.
struct Findings {
    /// More than an author can use at once.
    static let maximum = 100

    private var entries: [(order: Int, diagnostic: Diagnostic)] = []

    var isEmpty: Bool { entries.isEmpty }
    /// Whether looking for more is wasted work.
    var isFull: Bool { entries.count >= Self.maximum }

    mutating func add(_ code: String, _ message: String, suggestion: String? = nil, at place: SourcePlace) {
        guard !isFull else { return }
        let diagnostic = Diagnostic(
            code: code, message: message, suggestion: suggestion, pointer: place.pointer, line: place.line,
            column: place.column)
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
