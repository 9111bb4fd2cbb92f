public import Domain

/// Holds a client's configuration against a template's inputs.
public enum ConfigurationValidator {
    /// All text of one configuration, names included, in bytes.
    public static let maximumBytes = 262_144
    /// Levels of nesting in one value.
    public static let maximumDepth = 16

    /// The configuration a run is given: the declared inputs in declared order, defaults filled in. An optional
    /// input that was not given (or given as null) and has no default is absent.
    ///
    /// - Throws: everything that does not fit, with pointers that begin with `/configuration`.
    public static func validate(
        _ configuration: JSON, against inputs: [InputDeclaration]
    ) throws(Diagnostics) -> JSON {
        guard case .object(let given) = configuration else {
            throw Diagnostics([
                Diagnostic(
                    code: "wrong_type",
                    message: "the configuration must be an object, not \(SourceNode(configuration).withArticle)",
                    pointer: "/configuration")
            ])
        }
        try checkSize(configuration)
        var faults: [Diagnostic] = []
        var steps = InputPattern.maximumSteps
        var accepted = JSONObject()
        for input in inputs {
            let pointer = "/configuration/\(JSONPointer.escape(input.key))"
            let value = given[input.key].flatMap { $0.isNull && input.isOptional ? nil : $0 } ?? input.defaultValue
            guard let value else {
                if !input.isOptional {
                    faults.append(
                        Diagnostic(
                            code: "missing_input", message: "the input \"\(input.key)\" is required", pointer: pointer))
                }
                continue
            }
            accepted[input.key] = value
            for fault in input.faults(of: value, steps: &steps) {
                faults.append(
                    Diagnostic(
                        code: fault.code, message: "the input \"\(input.key)\" \(fault.message)",
                        suggestion: fault.suggestion,
                        pointer: fault.element.map { "\(pointer)/\($0)" } ?? pointer))
            }
        }
        let keys = inputs.map(\.key)
        for key in given.keys where faults.count < Findings.maximum && !keys.contains(key) {
            faults.append(
                Diagnostic(
                    code: "unknown_input",
                    message: "the template has no input \"\(key.prefix(100))\""
                        + (keys.isEmpty ? "" : "; it has \(Spelling.list(keys, limit: 20))"),
                    suggestion: Spelling.nearest(to: key, among: keys),
                    pointer: "/configuration/\(JSONPointer.escape(key))"))
        }
        guard faults.isEmpty else { throw Diagnostics(Array(faults.prefix(Findings.maximum))) }
        return .object(accepted)
    }

    private static func checkSize(_ configuration: JSON) throws(Diagnostics) {
        let (bytes, depth) = configuration.extent
        guard bytes <= maximumBytes else {
            throw refusal("too_large", "has \(bytes) bytes of text; at most \(maximumBytes) are allowed")
        }
        guard depth <= maximumDepth else {
            throw refusal("too_deep", "is nested \(depth) levels deep; at most \(maximumDepth) are allowed")
        }
    }

    private static func refusal(_ code: String, _ message: String) -> Diagnostics {
        Diagnostics([Diagnostic(code: code, message: "the configuration \(message)", pointer: "/configuration")])
    }
}
