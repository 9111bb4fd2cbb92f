import PluginKit

/// Puts a streamed answer together, event by event: https://docs.anthropic.com/en/api/messages-streaming
///
/// States: nothing received → started (`message_start`) → ended (`message_delta` with a stop reason) → complete
/// (`message_stop`). Events and fields it does not know pass by.
struct MessageStream: Sendable {
    /// What to push to the host for an event.
    enum Output: Sendable, Hashable {
        case text(String)
        case usage(JSON)
    }

    /// Far above what any model writes in one answer: only a broken or hostile peer gets there.
    static let maximumTextBytes = 16 << 20

    private(set) var text = ""
    private(set) var model: String?
    private(set) var stopReason: String?
    /// Why the model refused, where it did.
    private(set) var stopDetails: JSON?
    private(set) var usage = UsageTally()
    private(set) var isComplete = false

    /// Takes the next event.
    ///
    /// - Throws: `PluginError`, with the consumption so far, for an `error` event and for what is no event at all.
    mutating func receive(_ event: ServerSentEvent) throws(PluginError) -> Output? {
        guard !isComplete, Self.names.contains(event.event) else { return nil }
        let data: JSON
        do {
            data = try JSON.parse(event.data, JSON.Reading(repairsStrings: true))
        } catch {
            throw broken("a \(event.event) event is not readable: \(error)")
        }
        switch event.event {
        case "message_start":
            model = data["message"]?["model"]?.stringValue
            return update(data["message"]?["usage"])
        case "content_block_start":
            // Begins empty today; text that it already carried would otherwise be lost.
            return data["content_block"]?["type"] == "text" ? try append(data["content_block"]?["text"]) : nil
        case "content_block_delta":
            return data["delta"]?["type"] == "text_delta" ? try append(data["delta"]?["text"]) : nil
        case "message_delta":
            if let reason = data["delta"]?["stop_reason"]?.stringValue { stopReason = reason }
            if let details = data["delta"]?["stop_details"], !details.isNull { stopDetails = details }
            return update(data["usage"])
        case "message_stop":
            isComplete = true
            return nil
        default:
            throw ProviderFailure.error(event: data, usage: usage.jsonIfAny)
        }
    }

    /// Takes the whole of a message that was not streamed.
    ///
    /// - Throws: where the bytes are no message; the error has a status only where they are the API's own error.
    mutating func receive(message bytes: [UInt8]) throws(PluginError) -> [Output] {
        let message: JSON
        do {
            message = try JSON.parse(bytes, JSON.Reading(repairsStrings: true))
        } catch {
            throw broken("it is no readable JSON: \(error)")
        }
        if message["type"] == "error" { throw ProviderFailure.error(event: message, usage: nil) }
        guard message["type"] == "message" else {
            throw PluginError(
                .upstream, "the answer is JSON, but no message; base_url does not lead to the Messages API")
        }
        model = message["model"]?.stringValue
        stopReason = message["stop_reason"]?.stringValue
        if let details = message["stop_details"], !details.isNull { stopDetails = details }
        var outputs: [Output] = []
        if let output = update(message["usage"]) { outputs.append(output) }
        isComplete = true
        for block in message["content"]?.arrayValue ?? [] where block["type"] == "text" {
            if let output = try append(block["text"]) { outputs.append(output) }
        }
        return outputs
    }

    private static let names: Set<String> = [
        "message_start", "content_block_start", "content_block_delta", "message_delta", "message_stop", "error",
    ]

    private mutating func update(_ stated: JSON?) -> Output? {
        guard let stated, stated.objectValue != nil else { return nil }
        usage.update(stated)
        return .usage(usage.json)
    }

    private mutating func append(_ piece: JSON?) throws(PluginError) -> Output? {
        guard let piece = piece?.stringValue, !piece.isEmpty else { return nil }
        guard text.utf8.count + piece.utf8.count <= Self.maximumTextBytes else {
            throw PluginError(
                .limit, "the answer is longer than \(Self.maximumTextBytes) bytes", usage: usage.jsonIfAny)
        }
        text += piece
        return .text(piece)
    }

    /// The stream is not what the API promises: another attempt may get a whole one.
    func broken(_ reason: String) -> PluginError {
        PluginError(
            .upstream, "Anthropic's answer broke off or is damaged: \(reason)", isRetryable: true,
            usage: usage.jsonIfAny)
    }
}
