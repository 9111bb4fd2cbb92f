import PluginKit

/// Puts a streamed answer together, event by event: https://platform.openai.com/docs/api-reference/responses-streaming
///
/// States: nothing received → under way (`response.created` and everything after it) → complete (`response.completed`,
/// `response.incomplete` or `response.failed`). Events and members it does not know pass by.
struct ResponseStream: Sendable {
    /// What to push to the host for an event.
    enum Output: Sendable, Hashable {
        case text(String)
        case usage(JSON)
    }

    enum Status: String, Sendable { case completed, incomplete, failed }

    /// Far above what any model writes in one answer: only a broken or hostile peer gets there.
    static let maximumTextBytes = 16 << 20

    private(set) var text = ""
    /// What the model said instead of an answer.
    private(set) var refusal = ""
    private(set) var model: String?
    /// How the answer ended, with the provider's word on why where it is not completed.
    private(set) var ending: (status: Status, response: JSON)?
    private(set) var usage: StatedUsage?
    /// The places of messages in which the model only comments on what it does.
    private var commentary: Set<Int64> = []

    var isComplete: Bool { ending != nil }

    /// Takes the next event.
    ///
    /// - Returns: what to push, in order.
    /// - Throws: `PluginError` for an `error` event and for what is no event at all.
    mutating func receive(_ event: ServerSentEvent) throws(PluginError) -> [Output] {
        // A gateway may leave out the event's name; the data has it as well.
        guard !isComplete, Self.names.contains(event.event) else { return [] }
        if event.event == "message", event.data == "[DONE]" { return [] }
        let data: JSON
        do {
            data = try JSON.parse(event.data, JSON.Reading(repairsStrings: true))
        } catch {
            throw broken("a \(event.event) event is not readable: \(error)")
        }
        switch data["type"]?.stringValue ?? event.event {
        case "response.created": model = data["response"]?["model"]?.stringValue
        case "response.output_item.added":
            if let place = data["output_index"]?.integerValue, Self.isCommentary(data["item"]) {
                commentary.insert(place)
            }
        case "response.output_text.delta":
            if let place = data["output_index"]?.integerValue, commentary.contains(place) { return [] }
            return try append(data["delta"]?.stringValue ?? "")
        case "response.refusal.delta": try refuse(data["delta"]?.stringValue ?? "")
        case "response.completed": return try end(.completed, data["response"])
        case "response.incomplete": return try end(.incomplete, data["response"])
        case "response.failed": return try end(.failed, data["response"])
        case "error": throw ProviderFailure.error(event: data)
        default: break
        }
        return []
    }

    /// Takes the whole of a response that was not streamed.
    ///
    /// - Returns: what to push, in order.
    /// - Throws: where the bytes are no finished response.
    mutating func receive(response bytes: [UInt8]) throws(PluginError) -> [Output] {
        let response: JSON
        do {
            response = try JSON.parse(bytes, JSON.Reading(repairsStrings: true))
        } catch {
            throw broken("it is no readable JSON: \(error)")
        }
        guard response["object"] == "response" else {
            if response["error"]?.objectValue != nil { throw ProviderFailure.error(event: response) }
            throw PluginError(
                .upstream, "the answer is JSON, but no response; base_url does not lead to the Responses API")
        }
        guard let status = response["status"]?.stringValue.flatMap(Status.init) else {
            throw broken("its status is \(response["status"]?.text.prefix(50) ?? "missing")")
        }
        return try end(status, response)
    }

    private static let names: Set<String> = [
        "message", "response.created", "response.output_item.added", "response.output_text.delta",
        "response.refusal.delta", "response.completed", "response.incomplete", "response.failed", "error",
    ]

    private static func isCommentary(_ item: JSON?) -> Bool { item?["phase"] == "commentary" }

    private mutating func end(_ status: Status, _ response: JSON?) throws(PluginError) -> [Output] {
        guard let response, response.objectValue != nil else { throw broken("its last event has no response") }
        model = response["model"]?.stringValue ?? model
        usage = StatedUsage(response["usage"])
        ending = (status, response)
        var outputs = usage.map { [Output.usage($0.json)] } ?? []
        outputs += try complete(with: response["output"]?.arrayValue ?? [])
        return outputs
    }

    /// Compares what the deltas brought with the whole that the last event states; what is still missing is appended.
    private mutating func complete(with items: [JSON]) throws(PluginError) -> [Output] {
        var (wholeText, wholeRefusal) = ("", "")
        for item in items where item["type"] == "message" && !Self.isCommentary(item) {
            for part in item["content"]?.arrayValue ?? [] {
                switch part["type"]?.stringValue {
                case "output_text": wholeText += part["text"]?.stringValue ?? ""
                case "refusal": wholeRefusal += part["refusal"]?.stringValue ?? ""
                default: break
                }
            }
        }
        if refusal.isEmpty { try refuse(wholeRefusal) }
        // Some gateways leave the whole out.
        guard !wholeText.isEmpty else { return [] }
        guard wholeText.utf8.starts(with: text.utf8) else { throw broken("its parts are not those of the whole") }
        return try append(String(wholeText.utf8.dropFirst(text.utf8.count)) ?? "")
    }

    private mutating func append(_ piece: String) throws(PluginError) -> [Output] {
        guard !piece.isEmpty else { return [] }
        try checkLength(adding: piece)
        text += piece
        return [.text(piece)]
    }

    private mutating func refuse(_ piece: String) throws(PluginError) {
        try checkLength(adding: piece)
        refusal += piece
    }

    private func checkLength(adding piece: String) throws(PluginError) {
        guard text.utf8.count + refusal.utf8.count + piece.utf8.count <= Self.maximumTextBytes else {
            throw PluginError(.limit, "the answer is longer than \(Self.maximumTextBytes) bytes")
        }
    }

    /// The stream is not what the API promises: another attempt may get a whole one.
    func broken(_ reason: String) -> PluginError {
        PluginError(.upstream, "OpenAI's answer broke off or is damaged: \(reason)", isRetryable: true)
    }
}
