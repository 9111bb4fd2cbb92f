import Domain

// What the model reads: https://platform.openai.com/docs/api-reference/responses/create#responses-create-input
extension ResponsesReader {
    typealias Part = ResponsesRequest.Part

    private static let roles = ["user", "assistant", "system", "developer"]

    func parts() throws(OpenAIRefusal) -> [Part] {
        guard let value = input else {
            throw .invalid(
                "One of \"input\" or \"previous_response_id\" or \"prompt\" or \"conversation\" must be provided.",
                "input", code: "missing_required_parameter")
        }
        if let text = value.stringValue { return [Part(role: "user", text: text)] }
        guard let items = value.arrayValue else {
            throw .wrongType("input", expected: "one of a string or an array of objects", got: value)
        }
        guard !items.isEmpty else {
            throw .invalid(
                "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array "
                    + "instead.", "input", code: "empty_array")
        }
        var parts: [Part] = []
        for (index, item) in items.enumerated() { parts += try read(item, at: "input[\(index)]") }
        return parts
    }

    private func read(_ item: JSON, at path: String) throws(OpenAIRefusal) -> [Part] {
        guard let members = item.objectValue else { throw .wrongType(path, expected: "an object", got: item) }
        // Other kinds (calls of tools, their results, what was thought) count by their bytes and are not read.
        if let type = item["type"], type != "message" { return [Part(role: type.stringValue ?? "", text: item.text)] }
        let known = ["type", "role", "content", "id", "status", "phase"]
        if let stray = members.keys.first(where: { !known.contains($0) }) { throw .unknown("\(path).\(stray)") }
        guard let role = item["role"] else { throw .missing("\(path).role") }
        guard let role = role.stringValue else {
            throw .wrongType("\(path).role", expected: "a string", got: role)
        }
        guard Self.roles.contains(role) else { throw .wrongValue("\(path).role", role, allowed: Self.roles) }
        guard let content = item["content"] else { throw .missing("\(path).content") }
        if let text = content.stringValue { return [Part(role: role, text: text)] }
        guard let list = content.arrayValue else {
            throw .wrongType("\(path).content", expected: "one of a string or an array of objects", got: content)
        }
        var parts: [Part] = []
        for (index, element) in list.enumerated() {
            parts.append(try part(element, role: role, at: "\(path).content[\(index)]"))
        }
        return parts
    }

    private func part(_ value: JSON, role: String, at path: String) throws(OpenAIRefusal) -> Part {
        guard value.objectValue != nil else { throw .wrongType(path, expected: "an object", got: value) }
        guard let type = value["type"] else { throw .missing("\(path).type") }
        let allowed = role == "assistant" ? ["output_text", "refusal"] : ["input_text", "input_image", "input_file"]
        guard let type = type.stringValue, allowed.contains(type) else {
            throw .wrongValue("\(path).type", type.stringValue ?? type.text, allowed: allowed)
        }
        guard type == "input_text" || type == "output_text" else { return Part(role: role, text: value.text) }
        guard let text = value["text"] else { throw .missing("\(path).text") }
        guard let text = text.stringValue else { throw .wrongType("\(path).text", expected: "a string", got: text) }
        return Part(role: role, text: text)
    }
}
