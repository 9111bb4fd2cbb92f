import Domain

/// Reads a JSON document member by member and collects everything that is wrong with it, each with its place.
struct ManifestReader {
    private(set) var problems: [Diagnostic] = []

    /// More than an author can use at once.
    static let maximumProblems = 100

    private var isFull: Bool { problems.count >= Self.maximumProblems }

    mutating func report(_ code: String, _ message: String, suggestion: String? = nil, at pointer: String) {
        guard !isFull else { return }
        problems.append(Diagnostic(code: code, message: message, suggestion: suggestion, pointer: pointer))
    }

    /// Returns the object's members and refuses those with other names than these.
    mutating func object(_ json: JSON?, at pointer: String, allowing names: [String]) -> JSONObject? {
        guard let json else { return nil }
        guard let object = json.objectValue else {
            report("wrong_type", "\(place(pointer)) must be an object, not \(json.typeName)", at: pointer)
            return nil
        }
        for name in object.keys where !isFull && !names.contains(name) {
            let shown = name.prefix(100)
            report(
                "unknown_member",
                "\(place(pointer)) has no member \"\(shown)\"; allowed are \(names.joined(separator: ", "))",
                suggestion: Spelling.nearest(to: name, among: names), at: "\(pointer)/\(shown)")
        }
        return object
    }

    mutating func array(_ object: JSONObject?, _ name: String, at pointer: String) -> [JSON] {
        guard let json = object?[name] else { return [] }
        guard let array = json.arrayValue else {
            report("wrong_type", "\"\(name)\" must be an array, not \(json.typeName)", at: "\(pointer)/\(name)")
            return []
        }
        guard array.count <= PluginManifest.maximumElements else {
            report(
                "too_many",
                "\"\(name)\" has \(array.count) elements; at most \(PluginManifest.maximumElements) are allowed",
                at: "\(pointer)/\(name)")
            return []
        }
        return array
    }

    mutating func strings(_ object: JSONObject?, _ name: String, at pointer: String) -> [String] {
        array(object, name, at: pointer).enumerated().compactMap { index, json in
            if let string = json.stringValue { return string }
            report(
                "wrong_type", "\"\(name)\" must hold strings, not \(json.typeName)", at: "\(pointer)/\(name)/\(index)")
            return nil
        }
    }

    /// A string member; absent where it may be, else the empty string with a report.
    mutating func string(_ object: JSONObject?, _ name: String, at pointer: String) -> String {
        guard let object else { return "" }
        guard let json = object[name] else {
            report("missing_member", "\(place(pointer)) needs the member \"\(name)\"", at: pointer)
            return ""
        }
        guard let string = json.stringValue, !string.isEmpty else {
            report("wrong_type", "\"\(name)\" must be a string that is not empty", at: "\(pointer)/\(name)")
            return ""
        }
        return string
    }

    mutating func bool(_ object: JSONObject?, _ name: String, default value: Bool, at pointer: String) -> Bool {
        guard let json = object?[name] else { return value }
        guard let bool = json.boolValue else {
            report("wrong_type", "\"\(name)\" must be true or false, not \(json.typeName)", at: "\(pointer)/\(name)")
            return value
        }
        return bool
    }

    mutating func integer(
        _ object: JSONObject?, _ name: String, in range: ClosedRange<Int>, default value: Int?, at pointer: String
    ) -> Int {
        guard let object else { return value ?? range.lowerBound }
        guard let json = object[name] else {
            if let value { return value }
            report("missing_member", "\(place(pointer)) needs the member \"\(name)\"", at: pointer)
            return range.lowerBound
        }
        guard let integer = json.integerValue.flatMap(Int.init(exactly:)), range.contains(integer) else {
            report(
                "out_of_range",
                "\"\(name)\" must be a whole number from \(range.lowerBound) to \(range.upperBound), not \(json.text)",
                at: "\(pointer)/\(name)")
            return value ?? range.lowerBound
        }
        return integer
    }

    /// A string member that must be one of these.
    mutating func choice(
        _ object: JSONObject?, _ name: String, of allowed: [String], default value: String, at pointer: String
    ) -> String {
        guard let json = object?[name] else { return value }
        guard let string = json.stringValue, allowed.contains(string) else {
            report(
                "unknown_value",
                "\"\(name)\" must be one of \(allowed.joined(separator: ", ")), not \(json.text.prefix(100))",
                suggestion: json.stringValue.flatMap { Spelling.nearest(to: $0, among: allowed) },
                at: "\(pointer)/\(name)")
            return value
        }
        return string
    }

    func place(_ pointer: String) -> String { pointer.isEmpty ? "the manifest" : "\"\(pointer)\"" }
}
