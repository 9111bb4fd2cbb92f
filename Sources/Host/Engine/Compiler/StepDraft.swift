import Domain

/// A step as it was written, its names not yet resolved.
struct StepDraft {
    enum Kind {
        case ai
        case system
    }

    let id: String
    let name: String
    let slug: String
    let kind: Kind
    let isOptional: Bool
    let timeout: Duration
    let maximumAttempts: Int
    let expectedOutput: (name: String, place: SourcePlace)?
    let dependsOn: [(name: String, place: SourcePlace)]
    let fields: FieldReader
    /// The place of `name`, where findings about the step as a whole are shown.
    let place: SourcePlace

    var node: SourceNode { fields.node }
    /// The command of a system step.
    var command: String? { kind == .system ? node["command"]?.string : nil }
    var knownCommand: SystemCommand? { command.flatMap(SystemCommand.init(rawValue:)) }
}

extension Compilation {
    private static let common = [
        "step_id", "name", "type", "depends_on", "expected_output", "timeout_minutes", "optional", "max_attempts",
    ]
    private static let ofAI = ["ai_provider", "prompt_template", "model", "system", "max_output_tokens"]
    private static let ofSystem = ["command", "parameters"]

    /// Reads `execution_steps` into `steps`.
    mutating func readSteps(_ parts: FieldReader) {
        let maximum = TemplateCompiler.maximumSteps
        guard let elements = parts.array("execution_steps", required: true, maximum: maximum, &findings),
            let place = parts.node["execution_steps"]?.place
        else { return }
        guard !elements.isEmpty else {
            findings.add("empty_field", "\"execution_steps\" must not be empty", at: place)
            return
        }
        for (index, element) in elements.enumerated() {
            if let step = readStep(element, number: index + 1) {
                steps.append(step)
            } else {
                unreadableNames.formUnion(
                    [element["expected_output"]?.string, element["name"]?.string.map { Identifier.slug(of: $0) }]
                        .compactMap { $0 })
                if let id = element["step_id"]?.json { unreadableNames.insert(id.stringValue ?? id.text) }
            }
        }
    }

    private mutating func readStep(_ node: SourceNode, number: Int) -> StepDraft? {
        let subject = "step \(number)"
        let type = node["type"]?.string
        let own = type == "ai_call" ? Self.ofAI : type == "system_call" ? Self.ofSystem : Self.ofAI + Self.ofSystem
        guard let fields = FieldReader(node, subject: subject, allowed: Self.common + own, findings: &findings) else {
            return nil
        }
        let id = readStepID(fields)
        let name = fields.string("name", required: true, maximum: 200, &findings)
        guard let kind = readKind(fields) else { return nil }
        let output = readOutputName(fields)
        let dependsOn = readDependsOn(fields)
        let timeout = readTimeout(fields)
        let attempts = fields.integer("max_attempts", in: 1...10, &findings) ?? 3
        let isOptional = fields.boolean("optional", default: false, &findings)
        guard let id, let name else { return nil }
        let slug = Identifier.slug(of: name)
        return StepDraft(
            id: id, name: name, slug: slug.isEmpty ? "step_\(id)" : slug, kind: kind, isOptional: isOptional,
            timeout: timeout, maximumAttempts: Int(attempts), expectedOutput: output, dependsOn: dependsOn,
            fields: fields, place: node["name"]?.place ?? node.place)
    }

    private mutating func readKind(_ fields: FieldReader) -> StepDraft.Kind? {
        guard let text = fields.string("type", required: true, &findings), let node = fields.node["type"] else {
            return nil
        }
        switch text {
        case "ai_call": return .ai
        case "system_call": return .system
        default:
            findings.add(
                "unknown_value",
                "\"type\" of \(fields.subject) is \"\(text)\"; it must be one of \"ai_call\", \"system_call\"",
                suggestion: Spelling.nearest(to: text, among: ["ai_call", "system_call"]), at: node.place)
            return nil
        }
    }

    private mutating func readStepID(_ fields: FieldReader) -> String? {
        guard let node = fields.member("step_id", required: true, &findings) else { return nil }
        switch node.content {
        case .scalar(.integer(let value)) where value >= 0: return String(value)
        case .scalar(.string(let text)) where Identifier.isValid(text) && text.utf8.count <= 100: return text
        default:
            findings.add(
                "invalid_id",
                "\"step_id\" of \(fields.subject) must be a whole number or match \(Identifier.pattern), "
                    + "not \(node.string.map { "\"\($0.prefix(100))\"" } ?? node.withArticle)", at: node.place)
            return nil
        }
    }

    private mutating func readOutputName(_ fields: FieldReader) -> (name: String, place: SourcePlace)? {
        guard let name = fields.string("expected_output", maximum: 100, &findings),
            let place = fields.node["expected_output"]?.place
        else { return nil }
        guard Identifier.isValid(name) else {
            findings.add(
                "invalid_id",
                "\"expected_output\" of \(fields.subject) is \"\(name)\"; it must match "
                    + Identifier.pattern, suggestion: Identifier.slug(of: name), at: place)
            return nil
        }
        return (name, place)
    }

    private mutating func readDependsOn(_ fields: FieldReader) -> [(name: String, place: SourcePlace)] {
        (fields.array("depends_on", maximum: TemplateCompiler.maximumSteps, &findings) ?? []).compactMap { element in
            switch element.content {
            case .scalar(.string(let text)): return (text, element.place)
            case .scalar(.integer(let value)): return (String(value), element.place)
            default:
                findings.add(
                    "wrong_type",
                    "\"depends_on\" of \(fields.subject) must name steps, not contain \(element.withArticle)",
                    at: element.place)
                return nil
            }
        }
    }

    /// `timeout_minutes`, to the millisecond; ten minutes where it is absent.
    private mutating func readTimeout(_ fields: FieldReader) -> Duration {
        let standard = Duration.seconds(600)
        guard let node = fields.member("timeout_minutes", &findings) else { return standard }
        guard case .scalar(let value) = node.content, let minutes = value.doubleValue else {
            findings.add(
                "wrong_type", "\"timeout_minutes\" of \(fields.subject) must be a number, not \(node.withArticle)",
                at: node.place)
            return standard
        }
        guard minutes > 0, minutes <= 240 else {
            findings.add(
                "out_of_range",
                "\"timeout_minutes\" of \(fields.subject) is \(value.text); it must be above 0 and at most 240",
                at: node.place)
            return standard
        }
        return .milliseconds(max(1, Int64((minutes * 60_000).rounded())))
    }
}
