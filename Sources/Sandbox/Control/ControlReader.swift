import Domain

/// Reads the members of a control request and says what is wrong with them.
struct ControlReader {
    private let object: JSONObject

    init(_ json: JSON, allowed: [String]) throws(ControlRefusal) {
        guard let object = json.objectValue else {
            throw ControlRefusal("the body must be a JSON object, not \(json.typeName)")
        }
        if let stray = object.keys.first(where: { !allowed.contains($0) }) {
            throw ControlRefusal("unknown member \"\(stray)\"; allowed are \(allowed.joined(separator: ", "))")
        }
        self.object = object
    }

    func has(_ name: String) -> Bool { object[name] != nil }

    func provider() throws(ControlRefusal) -> Provider {
        guard let name = try text("provider") else { return .anthropic }
        guard let provider = Provider(rawValue: name) else {
            let known = Provider.allCases.map(\.rawValue).joined(separator: ", ")
            throw ControlRefusal("unknown provider \"\(name)\"; the sandbox plays \(known)")
        }
        return provider
    }

    func text(_ name: String) throws(ControlRefusal) -> String? {
        guard let value = object[name] else { return nil }
        guard let text = value.stringValue, !text.isEmpty else {
            throw ControlRefusal("\(name) must be a non-empty string")
        }
        return text
    }

    func flag(_ name: String) throws(ControlRefusal) -> Bool? {
        guard let value = object[name] else { return nil }
        guard let flag = value.boolValue else { throw ControlRefusal("\(name) must be true or false") }
        return flag
    }

    func count(_ name: String, in range: ClosedRange<Int>) throws(ControlRefusal) -> Int? {
        guard let value = object[name] else { return nil }
        guard let count = value.integerValue.flatMap({ Int(exactly: $0) }), range.contains(count) else {
            throw ControlRefusal("\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return count
    }
}
