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
    /// The longest string a pattern is tried on, in characters.
    static let maximumPatternSubject = 4_096

    /// Every way in which `value` does not fit: type, pattern, options.
    ///
    /// - Parameter steps: what matching may still take.
    func faults(of value: JSON, steps: inout Int) -> [InputFault] {
        guard kind.admits(value) else {
            return [
                InputFault(
                    code: "wrong_type", message: "must be \(kind.withArticle), not \(SourceNode(value).withArticle)")
            ]
        }
        // What stands for a secret of a run cannot come from outside it.
        guard value.secretReferences.isEmpty else {
            return [
                InputFault(
                    code: "secret_reference", message: "has an object that stands for a secret, {\"$secret\": …}")
            ]
        }
        var faults: [InputFault] = []
        if let pattern, let text = value.stringValue,
            let fault = Self.fault(of: text, pattern: pattern, steps: &steps)
        {
            faults.append(fault)
        }
        guard let options else { return faults }
        let allowed = Set(options)
        if case .array(let elements) = value {
            var seen: Set<JSON> = []
            for (index, element) in elements.enumerated() where faults.count < Findings.maximum {
                if !allowed.contains(element) {
                    faults.append(Self.notAnOption(element, of: options, element: index))
                } else if !seen.insert(element).inserted {
                    faults.append(Self.repeated(element, element: index))
                }
            }
        } else if !allowed.contains(value) {
            faults.append(Self.notAnOption(value, of: options, element: nil))
        }
        return faults
    }

    private static func fault(of text: String, pattern: String, steps: inout Int) -> InputFault? {
        guard text.count <= maximumPatternSubject else {
            return InputFault(
                code: "too_long",
                message: "has \(text.count) characters; at most \(maximumPatternSubject) are allowed")
        }
        // The compiler has refused patterns that do not compile; one that does not matches nothing.
        let matches = (try? InputPattern(pattern)).map { $0.matches(text, steps: &steps) } ?? false
        guard let matches else {
            return InputFault(
                code: "pattern_too_costly",
                message:
                    "could not be held against the pattern \(pattern) with the work that one configuration may take"
            )
        }
        if matches { return nil }
        return InputFault(code: "pattern_mismatch", message: "does not match the pattern \(pattern)")
    }

    private static func repeated(_ element: JSON, element index: Int) -> InputFault {
        let word = element.stringValue ?? element.text
        return InputFault(
            code: "repeated", message: "contains \"\(word.prefix(100))\" twice", element: index)
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
