import Domain

/// One way in which a value does not fit an input.
struct InputFault {
    let code: String
    /// Continues a sentence that begins with the value's name: `must be a string, not an array`.
    let message: String
    var suggestion: String? = nil
    /// The element of an array that is meant.
    var element: Int? = nil
}

extension InputDeclaration.Kind {
    /// Whether a value is of this type. A whole number is a number too.
    func admits(_ value: JSON) -> Bool {
        switch (self, value) {
        case (.string, .string), (.integer, .integer), (.number, .integer), (.number, .decimal), (.boolean, .bool),
            (.array, .array), (.object, .object):
            true
        default: false
        }
    }
}

extension InputDeclaration {
    /// The longest string a pattern is tried on, in characters: matching may take time that grows with a power of
    /// the length.
    static let maximumPatternSubject = 4_096

    /// Every way in which `value` does not fit: type, pattern, options.
    func faults(of value: JSON) -> [InputFault] {
        guard kind.admits(value) else {
            return [
                InputFault(
                    code: "wrong_type", message: "must be \(kind.withArticle), not \(SourceNode(value).withArticle)")
            ]
        }
        var faults: [InputFault] = []
        if let pattern, let text = value.stringValue, let fault = Self.fault(of: text, pattern: pattern) {
            faults.append(fault)
        }
        guard let options else { return faults }
        if case .array(let elements) = value {
            for (index, element) in elements.enumerated()
            where faults.count < Findings.maximum && !options.contains(element) {
                faults.append(Self.notAnOption(element, of: options, element: index))
            }
        } else if !options.contains(value) {
            faults.append(Self.notAnOption(value, of: options, element: nil))
        }
        return faults
    }

    private static func fault(of text: String, pattern: String) -> InputFault? {
        guard text.count <= maximumPatternSubject else {
            return InputFault(
                code: "too_long",
                message: "has \(text.count) characters; at most \(maximumPatternSubject) are allowed")
        }
        // The compiler has refused patterns that do not compile; one that does not matches nothing.
        if let regex = try? Regex(pattern), (try? regex.wholeMatch(in: text)) != nil { return nil }
        return InputFault(code: "pattern_mismatch", message: "does not match the pattern \(pattern)")
    }

    private static func notAnOption(_ value: JSON, of options: [JSON], element: Int?) -> InputFault {
        let words = options.map { $0.stringValue ?? $0.text }
        let word = value.stringValue ?? value.text
        return InputFault(
            code: "not_an_option",
            message: "\(element == nil ? "is" : "contains") \"\(word.prefix(100))\"; "
                + "allowed are \(Spelling.list(words))",
            suggestion: Spelling.nearest(to: word, among: words), element: element)
    }
}

extension InputDeclaration.Kind {
    private var article: String { self == .integer || self == .array || self == .object ? "an" : "a" }
    fileprivate var withArticle: String { "\(article) \(rawValue)" }
}
