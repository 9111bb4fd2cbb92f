import Domain

/// Reads the members of a Responses request and refuses what the service refuses, in its words.
struct ResponsesReader {
    private let object: JSONObject

    init(_ object: JSONObject) { self.object = object }

    /// A member that is present and not null.
    private func member(_ name: String) -> JSON? {
        guard let value = object[name], !value.isNull else { return nil }
        return value
    }

    /// The prompt, as a text or as items.
    var input: JSON? { member("input") }

    func requiredText(_ name: String) throws(OpenAIRefusal) -> String {
        guard object[name] != nil else { throw .missing(name) }
        guard let text = object[name]?.stringValue else {
            throw .wrongType(name, expected: "a string", got: object[name] ?? .null)
        }
        return text
    }

    func text(_ name: String) throws(OpenAIRefusal) -> String? {
        guard let value = member(name) else { return nil }
        guard let text = value.stringValue else { throw .wrongType(name, expected: "a string", got: value) }
        return text
    }

    func flag(_ name: String) throws(OpenAIRefusal) -> Bool? {
        guard let value = member(name) else { return nil }
        guard let flag = value.boolValue else { throw .wrongType(name, expected: "a boolean", got: value) }
        return flag
    }

    func count(_ name: String, atLeast least: Int) throws(OpenAIRefusal) -> Int? {
        guard let value = member(name) else { return nil }
        guard let count = value.integerValue.flatMap({ Int(exactly: $0) }) else {
            throw .wrongType(name, expected: "an integer", got: value)
        }
        guard count >= least else {
            throw .invalid(
                "Invalid '\(name)': integer below minimum value. Expected a value >= \(least), but got \(count) "
                    + "instead.", name, code: "integer_below_min_value")
        }
        return count
    }

    private func choice(_ name: String, _ value: JSON?, of allowed: [String]) throws(OpenAIRefusal) -> String? {
        guard let value, !value.isNull else { return nil }
        guard let text = value.stringValue else { throw .wrongType(name, expected: "a string", got: value) }
        guard allowed.contains(text) else { throw .wrongValue(name, text, allowed: allowed) }
        return text
    }

    private func number(_ name: String, in range: ClosedRange<Double>) throws(OpenAIRefusal) {
        guard let value = member(name) else { return }
        guard let number = value.doubleValue else { throw .wrongType(name, expected: "a decimal", got: value) }
        guard range.contains(number) else {
            let isLow = number < range.lowerBound
            throw .invalid(
                "Invalid '\(name)': decimal \(isLow ? "below minimum" : "above maximum") value. Expected a value "
                    + "\(isLow ? ">= \(range.lowerBound)" : "<= \(range.upperBound)"), but got \(value.text) instead.",
                name, code: "decimal_\(isLow ? "below_min" : "above_max")_value")
        }
    }

    private func checkMembers(_ path: String, _ value: JSON, known: [String]) throws(OpenAIRefusal) {
        guard let members = value.objectValue else { throw .wrongType(path, expected: "an object", got: value) }
        if let stray = members.keys.first(where: { !known.contains($0) }) { throw .unknown("\(path).\(stray)") }
    }

    func effort() throws(OpenAIRefusal) -> String? {
        guard let reasoning = member("reasoning") else { return nil }
        try checkMembers(
            "reasoning", reasoning, known: ["effort", "summary", "generate_summary", "mode", "context"])
        return try choice(
            "reasoning.effort", reasoning["effort"],
            of: ["none", "minimal", "low", "medium", "high", "xhigh", "max"])
    }

    func outputSchema() throws(OpenAIRefusal) -> JSON? {
        guard let text = member("text") else { return nil }
        try checkMembers("text", text, known: ["format", "verbosity"])
        _ = try choice("text.verbosity", text["verbosity"], of: ["low", "medium", "high"])
        guard let format = text["format"], !format.isNull else { return nil }
        guard format.objectValue != nil else {
            throw .wrongType("text.format", expected: "an object", got: format)
        }
        guard format["type"] != nil else { throw .missing("text.format.type") }
        let type = try choice("text.format.type", format["type"], of: ["text", "json_object", "json_schema"])
        guard type == "json_schema" else {
            try checkMembers("text.format", format, known: ["type"])
            return nil
        }
        return try schema(format)
    }

    private func schema(_ format: JSON) throws(OpenAIRefusal) -> JSON {
        try checkMembers("text.format", format, known: ["type", "name", "schema", "strict", "description"])
        guard let name = format["name"] else { throw .missing("text.format.name") }
        guard let name = name.stringValue else { throw .wrongType("text.format.name", expected: "a string", got: name) }
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isPlain, (1...64).contains(name.utf8.count) else {
            throw .invalid(
                "Invalid 'text.format.name': string does not match pattern. Expected a string that matches the pattern "
                    + "'^[a-zA-Z0-9_-]+$' of at most 64 characters.", "text.format.name", code: "invalid_value")
        }
        guard let schema = format["schema"] else { throw .missing("text.format.schema") }
        guard schema.objectValue != nil else {
            throw .wrongType("text.format.schema", expected: "an object", got: schema)
        }
        if let strict = format["strict"], !strict.isNull, strict.boolValue == nil {
            throw .wrongType("text.format.strict", expected: "a boolean", got: strict)
        }
        if format["strict"] == true { try StrictSchemaRules(name: name, root: schema).check() }
        return schema
    }

    /// The members that shape an answer without a trace in this simulator: their types and ranges only.
    func checkOptions(isStreamed: Bool) throws(OpenAIRefusal) {
        for name in ["store", "parallel_tool_calls"] { _ = try flag(name) }
        for name in ["user", "safety_identifier", "prompt_cache_key"] { _ = try text(name) }
        for name in ["metadata", "prompt_cache_options", "stream_options", "client_metadata"] {
            if let value = member(name), value.objectValue == nil {
                throw .wrongType(name, expected: "an object", got: value)
            }
        }
        for name in ["tools", "include", "context_management"] {
            if let value = member(name), value.arrayValue == nil {
                throw .wrongType(name, expected: "an array", got: value)
            }
        }
        if member("stream_options") != nil, !isStreamed {
            throw .invalid(
                "The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options",
                code: "unsupported_parameter")
        }
        try number("temperature", in: 0...2)
        try number("top_p", in: 0...1)
        _ = try choice("truncation", member("truncation"), of: ["auto", "disabled"])
        _ = try choice(
            "service_tier", member("service_tier"),
            of: ["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"])
        if try flag("background") == true {
            throw .invalid("The sandbox answers at once: 'background' is not simulated.", "background")
        }
        if let id = try text("previous_response_id") {
            throw .invalid(
                "Previous response with id '\(id.prefix(80))' not found.", "previous_response_id",
                code: "previous_response_not_found")
        }
    }

    /// What a response repeats of its request, with the service's defaults.
    var echo: JSONObject {
        let defaults: KeyValuePairs<String, JSON> = [
            "instructions": .null, "max_output_tokens": .null, "metadata": [:], "parallel_tool_calls": true,
            "previous_response_id": .null, "reasoning": ["effort": "medium", "summary": .null],
            "service_tier": "default", "store": true, "temperature": 1, "text": ["format": ["type": "text"]],
            "tool_choice": "auto", "tools": [], "top_p": 1, "truncation": "disabled",
        ]
        var echo = JSONObject()
        for (name, value) in defaults { echo[name] = member(name) ?? value }
        return echo
    }
}
