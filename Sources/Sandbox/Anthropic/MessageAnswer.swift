import Domain

/// One answer, and the two forms in which it is sent: https://docs.anthropic.com/en/api/messages-streaming
struct MessageAnswer: ModelAnswer {
    let id: String
    let model: String
    let text: String
    let stopReason: String
    let stopSequence: String?
    let consumption: PromptCache.Consumption

    var outputTokens: Int { TokenCount.tokens(in: text) }

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

    var whole: JSON { message(content: [["type": "text", "text": .string(text)]], isEnded: true, usage: usage) }

    /// The stream, from `message_start` to `message_stop`.
    func events(pieces: [Substring]) -> [StreamEvent] {
        var events: [StreamEvent] = []
        var sent = 0
        func add(_ name: String, _ members: KeyValuePairs<String, JSON> = [:]) {
            var data = JSONObject()
            data["type"] = .string(name)
            for (key, value) in members { data[key] = value }
            events.append(
                StreamEvent(name, .object(data), textBytes: sent, isPiece: name == "content_block_delta"))
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

    func failure(after events: Int) -> StreamEvent {
        StreamEvent("error", ["type": "error", "error": ["type": "overloaded_error", "message": "Overloaded"]])
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
