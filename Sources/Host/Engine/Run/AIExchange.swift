import Domain

/// How an AI step speaks to `ai.generate`: what it sends, and what it reads from the answer.
struct AIExchange: Sendable {
    let action: AIAction
    let prompt: String
    /// The results this step depends on, in the order of the plan.
    let context: [(name: String, value: JSON)]

    /// What a model is sent, in bytes: the results before and the prompt.
    static let maximumBytes = 33_554_432

    /// - Throws: where it would be more than `maximumBytes`.
    func checkSize() throws(ReferenceError) {
        let bytes = context.reduce(prompt.utf8.count) { $0 + $1.value.extent.bytes }
        guard bytes <= Self.maximumBytes else { throw .tooLarge(limit: Self.maximumBytes) }
    }

    /// The operation's input.
    ///
    /// - Parameter faults: what was wrong with the answer before, when the model is asked again.
    func input(model: String?, faults: [String] = []) -> JSON {
        var text = ""
        if !context.isEmpty {
            text += "<context>\n"
            for (name, value) in context {
                // Which secret it is would be of no use to a model.
                let shown = value.replacingSecrets { _ in "(a secret)" }
                text += "<\(name)>\n\(Self.render(shown))\n</\(name)>\n"
            }
            text += "</context>\n\n"
        }
        text += prompt
        if !faults.isEmpty {
            text += "\n\nYour last answer did not fit the required form:\n"
            text += faults.map { "- \($0)\n" }.joined()
            text += "Answer again, in full, and in the required form."
        }
        var input: JSON = [
            "messages": [["role": "user", "content": .string(text)]],
            "max_output_tokens": .integer(action.maximumOutputTokens), "output_schema": action.answerSchema,
        ]
        if let model { input.set("model", .string(model)) }
        if let system = action.system { input.set("system", .string(system)) }
        return input
    }

    /// A result as a model reads it best: its summary, each file under its path, the other fields as JSON.
    private static func render(_ value: JSON) -> String {
        guard let object = value.objectValue else { return value.stringValue ?? value.text }
        var parts: [String] = []
        if let summary = object["summary"]?.stringValue { parts.append(summary) }
        for member in object.members where member.key != "summary" && member.key != "files" {
            parts.append("\(member.key): \(member.value.stringValue ?? member.value.text)")
        }
        for file in object["files"]?.arrayValue ?? [] {
            guard let path = file["path"]?.stringValue, let content = file["content"]?.stringValue else { continue }
            parts.append("<file path=\"\(path)\">\n\(content)\n</file>")
        }
        return parts.joined(separator: "\n")
    }

    /// What an `ai.generate` result says, read once.
    struct Answer: Sendable {
        let structured: JSON
        let model: String?
        let usage: TokenUsage?
        let rawUsage: JSON
        let providerRequestID: String?

        init(_ result: JSON) {
            structured = result["structured"] ?? .null
            model = result["model"]?.stringValue
            usage = result["usage"].flatMap { TokenUsage($0) }
            rawUsage = result["raw_usage"] ?? .null
            providerRequestID = result["provider_request_id"]?.stringValue
        }

        /// What keeps the answer from being the step's result; empty when nothing does.
        func faults(against schema: JSON) -> [String] {
            structured.objectValue == nil
                ? ["the answer is \(structured.isNull ? "not JSON" : structured.typeName), not an object"]
                : AnswerSchema.faults(of: structured, against: schema)
        }
    }
}
