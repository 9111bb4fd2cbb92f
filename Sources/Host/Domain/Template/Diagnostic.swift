/// One thing that is wrong with an input someone wrote: what, where, and the way out.
public struct Diagnostic: Sendable, Hashable {
    /// Stable and machine-readable: `unknown_reference`.
    public let code: String
    /// One sentence that names the value and what is allowed.
    public let message: String
    /// The nearest allowed spelling, where there is a near one.
    public let suggestion: String?
    /// RFC 6901 pointer to the value.
    public let pointer: String
    /// Line and column from 1, where the input is a text.
    public let line: Int?
    public let column: Int?

    public init(
        code: String, message: String, suggestion: String? = nil, pointer: String, line: Int? = nil,
        column: Int? = nil
    ) {
        self.code = code
        self.message = message
        self.suggestion = suggestion
        self.pointer = pointer
        self.line = line
        self.column = column
    }
}

/// Everything that is wrong with one input; never empty.
public struct Diagnostics: Error, Sendable {
    public let all: [Diagnostic]
    /// The file the input came from, when it came from one.
    public let file: String?

    public init(_ all: [Diagnostic], file: String? = nil) {
        self.all = all
        self.file = file
    }
}

extension Diagnostics: CustomStringConvertible {
    /// `file:line:column: error: message (did you mean "x"?) [code]`, a line each.
    public var description: String {
        all.map { diagnostic in
            var place = file ?? "input"
            if let line = diagnostic.line { place += ":\(line):\(diagnostic.column ?? 1)" }
            let hint = diagnostic.suggestion.map { " (did you mean \"\($0)\"?)" } ?? ""
            return "\(place): error: \(diagnostic.message)\(hint) [\(diagnostic.code)]"
        }.joined(separator: "\n")
    }
}
