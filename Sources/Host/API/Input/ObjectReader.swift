import Domain

/// Takes the members of a JSON object one by one and collects everything that is wrong with them, so that one
/// answer names it all.
struct ObjectReader {
    private let object: JSONObject
    private var known: [String] = []
    private var errors: [InputError] = []

    init(_ object: JSONObject) { self.object = object }

    /// The string at `key`; nil where it is absent, null or wrong.
    mutating func string(_ key: String, isRequired: Bool) -> String? {
        guard let value = value(key, isRequired: isRequired, expected: "string") else { return nil }
        if let text = value.stringValue { return text }
        errors.append(.wrongType(at: Self.pointer(key), expected: "string", found: value))
        return nil
    }

    /// The object at `key`, as a value; nil where it is absent, null or wrong.
    mutating func object(_ key: String, isRequired: Bool) -> JSON? {
        guard let value = value(key, isRequired: isRequired, expected: "object") else { return nil }
        if case .object = value { return value }
        errors.append(.wrongType(at: Self.pointer(key), expected: "object", found: value))
        return nil
    }

    /// Notes what is wrong with a value of the right type.
    mutating func refuse(_ key: String, _ code: String, _ detail: String, suggestion: String? = nil) {
        errors.append(
            InputError(place: .pointer(Self.pointer(key)), code: code, detail: detail, suggestion: suggestion))
    }

    /// Refuses what no call asked for, and throws if anything was wrong.
    mutating func finish() throws(Problem) {
        for key in object.keys where !known.contains(key) {
            guard errors.count < Problem.maximumErrors else { break }
            errors.append(
                InputError(
                    place: .pointer(Self.pointer(key.clipped)), code: "unknown_field",
                    detail: "\"\(key.clipped)\" is not a field here; allowed: \(known.joined(separator: ", ")).",
                    suggestion: Spelling.nearest(to: key, among: known)))
        }
        guard errors.isEmpty else {
            let count = errors.count == 1 ? "One field is" : "\(errors.count) fields are"
            throw Problem(.invalidRequest, "\(count) not acceptable; see errors.", errors: errors)
        }
    }

    /// RFC 6901: the pointer to a member of the object at `parent`.
    static func pointer(_ key: String, under parent: String = "") -> String {
        guard key.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else {
            return "\(parent)/\(key)"
        }
        // By scalars: a character may be a slash and a combining mark.
        let escaped = key.unicodeScalars.map { $0 == "~" ? "~0" : $0 == "/" ? "~1" : String($0) }.joined()
        return "\(parent)/\(escaped)"
    }

    private mutating func value(_ key: String, isRequired: Bool, expected: String) -> JSON? {
        known.append(key)
        if let value = object[key], !value.isNull { return value }
        if isRequired { refuse(key, "required", "\"\(key)\" is required and must be of type \(expected).") }
        return nil
    }
}

extension InputError {
    static func wrongType(at pointer: String, expected: String, found: JSON) -> InputError {
        InputError(
            place: .pointer(pointer), code: "wrong_type", detail: "Expected \(expected), found \(found.typeName).")
    }
}
