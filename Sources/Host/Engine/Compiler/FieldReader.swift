import Domain

/// Reads the members of one object of a template, reporting what is missing, of the wrong type or unknown.
///
/// A field that is absent or wrong reads as nil; the fault is in the findings by then.
struct FieldReader {
    let node: SourceNode
    /// What the object is, for messages: `step 3`, `metadata`.
    let subject: String

    /// nil, with a finding, where the node is not an object.
    init?(_ node: SourceNode, subject: String, allowed: [String], findings: inout Findings) {
        guard case .mapping(let members) = node.content else {
            findings.add("wrong_type", "\(subject) must be an object, not \(node.withArticle)", at: node.place)
            return nil
        }
        self.node = node
        self.subject = subject
        for member in members where !allowed.contains(member.key) && !findings.isFull {
            findings.add(
                "unknown_key", "\(subject) has no field \"\(member.key)\"; it has \(Spelling.list(allowed, limit: 20))",
                suggestion: Spelling.nearest(to: member.key, among: allowed), at: member.keyPlace)
        }
    }

    /// The member, reported where it is required and absent.
    func member(_ key: String, required: Bool = false, _ findings: inout Findings) -> SourceNode? {
        if let value = node[key] { return value }
        if required {
            findings.add("missing_field", "\(subject) needs the field \"\(key)\"", at: node.place)
        }
        return nil
    }

    func string(
        _ key: String, required: Bool = false, maximum: Int? = nil, _ findings: inout Findings
    ) -> String? {
        guard let value = member(key, required: required, &findings) else { return nil }
        guard let text = value.string else {
            if case .scalar(.decimal(let digits)) = value.content {
                return wrong(value, key, "a string; write \"\(digits)\" in quotes", &findings)
            }
            return wrong(value, key, "a string", &findings)
        }
        guard !required || text.utf8.contains(where: { $0 > 0x20 }) else {
            findings.add("empty_field", "\"\(key)\" of \(subject) must not be empty", at: value.place)
            return nil
        }
        if let maximum, text.count > maximum {
            findings.add(
                "too_long", "\"\(key)\" of \(subject) has \(text.count) characters; at most \(maximum) are allowed",
                at: value.place)
            return nil
        }
        return text
    }

    func boolean(_ key: String, default value: Bool, _ findings: inout Findings) -> Bool {
        guard let node = member(key, &findings) else { return value }
        if case .scalar(.bool(let value)) = node.content { return value }
        let hint = ["yes", "no", "on", "off"].contains(node.string?.lowercased() ?? "") ? "true or false" : "a boolean"
        return wrong(node, key, hint, &findings) ?? value
    }

    func integer(_ key: String, in range: ClosedRange<Int64>, _ findings: inout Findings) -> Int64? {
        guard let node = member(key, &findings) else { return nil }
        guard case .scalar(.integer(let value)) = node.content else {
            return wrong(node, key, "a whole number from \(range.lowerBound) to \(range.upperBound)", &findings)
        }
        guard range.contains(value) else {
            findings.add(
                "out_of_range",
                "\"\(key)\" of \(subject) is \(value); it must be from \(range.lowerBound) to \(range.upperBound)",
                at: node.place)
            return nil
        }
        return value
    }

    func array(
        _ key: String, required: Bool = false, maximum: Int = 1_000, _ findings: inout Findings
    ) -> [SourceNode]? {
        guard let node = member(key, required: required, &findings) else { return nil }
        guard case .sequence(let elements) = node.content else { return wrong(node, key, "an array", &findings) }
        guard elements.count <= maximum else {
            findings.add(
                "too_many",
                "\"\(key)\" of \(subject) has \(elements.count) elements; at most \(maximum) are allowed",
                at: node.place)
            return nil
        }
        return elements
    }

    /// The strings of an array; elements of another type are reported.
    func strings(_ key: String, _ findings: inout Findings) -> [(text: String, place: SourcePlace)] {
        (array(key, &findings) ?? []).compactMap { element in
            if let text = element.string { return (text, element.place) }
            findings.add(
                "wrong_type", "\"\(key)\" of \(subject) must be an array of strings, not of \(element.typeName)s",
                at: element.place)
            return nil
        }
    }

    /// One of a closed set of words.
    func choice<Value: RawRepresentable & CaseIterable>(
        _ key: String, required: Bool, _ findings: inout Findings
    ) -> Value? where Value.RawValue == String {
        guard let text = string(key, required: required, &findings), let node = node[key] else { return nil }
        if let value = Value(rawValue: text) { return value }
        let words = Value.allCases.map(\.rawValue)
        findings.add(
            "unknown_value", "\"\(key)\" of \(subject) is \"\(text)\"; it must be one of \(Spelling.list(words))",
            suggestion: Spelling.nearest(to: text, among: words), at: node.place)
        return nil
    }

    private func wrong<Value>(
        _ node: SourceNode, _ key: String, _ expected: String, _ findings: inout Findings
    ) -> Value? {
        findings.add(
            "wrong_type", "\"\(key)\" of \(subject) must be \(expected), not \(node.withArticle)", at: node.place)
        return nil
    }
}

extension SourceNode {
    /// `a string`, `an array`, `null`, for messages.
    var withArticle: String {
        switch typeName {
        case "null": "null"
        case "array", "object", "integer": "an \(typeName)"
        default: "a \(typeName)"
        }
    }
}

/// The pattern of ids and names in templates.
enum Identifier {
    static let pattern = "^[a-zA-Z0-9_-]+$"

    static func isValid(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
    }

    /// A name as it is referred to: `Testing & Quality Assurance` is `testing_quality_assurance`.
    static func slug(of name: String) -> String {
        var slug = ""
        for scalar in name.lowercased().unicodeScalars {
            switch scalar {
            case "a"..."z", "0"..."9": slug.unicodeScalars.append(scalar)
            default: if !slug.isEmpty, !slug.hasSuffix("_") { slug += "_" }
            }
        }
        if slug.hasSuffix("_") { slug.removeLast() }
        return slug
    }
}
