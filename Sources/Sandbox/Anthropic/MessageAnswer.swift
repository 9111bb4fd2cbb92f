import Domain

/// One answer, and the two forms in which it is sent: https://docs.anthropic.com/en/api/messages-streaming
struct MessageAnswer: Sendable {
    let id: String
    let model: String
    let text: String
    let stopReason: String
    let stopSequence: String?
    let consumption: PromptCache.Consumption

    /// One server-sent event.
    struct Event: Sendable {
        let name: String
        let data: JSON
        /// How much text has gone out once this event has.
        let textBytes: Int

        var bytes: [UInt8] { Array("event: \(name)\ndata: \(data.text)\n\n".utf8) }
    }

    var outputTokens: Int { TokenCount.tokens(in: text) }

    /// The consumption when so many bytes of the text are out.
    func usage(textBytes: Int) -> JSON {
        // An answer that has only begun counts one token, as the first event of a real stream does.
        let output = max(1, (textBytes + TokenCount.bytesPerToken - 1) / TokenCount.bytesPerToken)
        return [
            "input_tokens": count(consumption.input),
            "cache_creation_input_tokens": count(consumption.written5m + consumption.written1h),
            "cache_read_input_tokens": count(consumption.read),
            "cache_creation": [
                "ephemeral_5m_input_tokens": count(consumption.written5m),
                "ephemeral_1h_input_tokens": count(consumption.written1h),
            ],
            "output_tokens": count(output), "service_tier": "standard",
        ]
    }

    var usage: JSON { usage(textBytes: text.utf8.count) }

    /// The whole message, for a request that did not ask for a stream.
    var message: JSON { message(content: [["type": "text", "text": .string(text)]], isEnded: true, usage: usage) }

    /// The stream, from `message_start` to `message_stop`.
    func events(pieces: [Substring]) -> [Event] {
        var events: [Event] = []
        var sent = 0
        func add(_ name: String, _ members: KeyValuePairs<String, JSON> = [:]) {
            var data = JSONObject()
            data["type"] = .string(name)
            for (key, value) in members { data[key] = value }
            events.append(Event(name: name, data: .object(data), textBytes: sent))
        }
        add("message_start", ["message": message(content: [], isEnded: false, usage: usage(textBytes: 0))])
        add("content_block_start", ["index": 0, "content_block": ["type": "text", "text": ""]])
        add("ping")
        for piece in pieces {
            sent += piece.utf8.count
            add("content_block_delta", ["index": 0, "delta": ["type": "text_delta", "text": .string(String(piece))]])
        }
        add("content_block_stop", ["index": 0])
        add(
            "message_delta",
            [
                "delta": ["stop_reason": .string(stopReason), "stop_sequence": stopSequence.map(JSON.string) ?? .null],
                "usage": [
                    "input_tokens": count(consumption.input),
                    "cache_creation_input_tokens": count(consumption.written5m + consumption.written1h),
                    "cache_read_input_tokens": count(consumption.read), "output_tokens": count(max(1, outputTokens)),
                ],
            ])
        add("message_stop")
        return events
    }

    private func message(content: JSON, isEnded: Bool, usage: JSON) -> JSON {
        [
            "id": .string(id), "type": "message", "role": "assistant", "model": .string(model), "content": content,
            "stop_reason": isEnded ? .string(stopReason) : .null,
            "stop_sequence": isEnded ? stopSequence.map(JSON.string) ?? .null : .null, "usage": usage,
        ]
    }

    private func count(_ value: Int) -> JSON { .integer(Int64(value)) }
}
