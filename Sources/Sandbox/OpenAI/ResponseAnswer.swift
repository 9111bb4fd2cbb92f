import Domain

/// One response, and the two forms in which it is sent:
/// https://platform.openai.com/docs/api-reference/responses-streaming
struct ResponseAnswer: ModelAnswer {
    enum Stage: String {
        case inProgress = "in_progress"
        case completed, incomplete
    }

    let number: Int
    let request: ResponsesRequest
    /// Unix seconds.
    let createdAt: Int64
    let text: String
    /// Whether the answer reached its limit before its end.
    let isCutOff: Bool
    let reasoningTokens: Int
    let consumption: PrefixCache.Consumption

    /// Derived, as a client derives it: the API has no such member.
    var stopReason: String { isCutOff ? "max_output_tokens" : "completed" }

    private var ending: Stage { isCutOff ? .incomplete : .completed }
    private var messageID: String { "msg_sandbox_\(number)" }

    func usage(textBytes: Int) -> JSON {
        let output = reasoningTokens + (textBytes + TokenCount.bytesPerToken - 1) / TokenCount.bytesPerToken
        return [
            "input_tokens": count(consumption.input),
            "input_tokens_details": [
                "cached_tokens": count(consumption.read), "cache_write_tokens": count(consumption.written),
            ],
            "output_tokens": count(output),
            "output_tokens_details": ["reasoning_tokens": count(reasoningTokens)],
            "total_tokens": count(consumption.input + output),
        ]
    }

    var whole: JSON { response(ending) }

    func failure(after events: Int) -> StreamEvent {
        StreamEvent(
            "error",
            [
                "type": "error", "sequence_number": count(events), "code": "server_error",
                "message": "The server had an error while processing your request. Sorry about that!", "param": .null,
            ])
    }
}

extension ResponseAnswer {
    /// The events of a stream, numbered as they come.
    private struct Script {
        private(set) var events: [StreamEvent] = []

        mutating func add(_ name: String, _ members: KeyValuePairs<String, JSON>, textBytes: Int, isPiece: Bool = false)
        {
            var data = JSONObject()
            data["type"] = .string(name)
            data["sequence_number"] = .integer(Int64(events.count))
            for (key, value) in members { data[key] = value }
            events.append(StreamEvent(name, .object(data), textBytes: textBytes, isPiece: isPiece))
        }
    }

    /// The stream, from `response.created` to `response.completed` or `response.incomplete`.
    func events(pieces: [Substring]) -> [StreamEvent] {
        var script = Script()
        script.add("response.created", ["response": response(.inProgress)], textBytes: 0)
        script.add("response.in_progress", ["response": response(.inProgress)], textBytes: 0)
        for (index, item) in output(.inProgress).enumerated() {
            let place = count(index)
            script.add("response.output_item.added", ["output_index": place, "item": item], textBytes: 0)
            if item["type"] == "message" { add(pieces, to: &script, place: place) }
            script.add(
                "response.output_item.done", ["output_index": place, "item": output(ending)[index]],
                textBytes: text.utf8.count)
        }
        script.add("response.\(ending.rawValue)", ["response": whole], textBytes: text.utf8.count)
        return script.events
    }

    private func add(_ pieces: [Substring], to script: inout Script, place: JSON) {
        let id = JSON.string(messageID)
        script.add(
            "response.content_part.added",
            ["item_id": id, "output_index": place, "content_index": 0, "part": part("")], textBytes: 0)
        var sent = 0
        for piece in pieces {
            sent += piece.utf8.count
            script.add(
                "response.output_text.delta",
                [
                    "item_id": id, "output_index": place, "content_index": 0, "delta": .string(String(piece)),
                    "logprobs": [],
                ], textBytes: sent, isPiece: true)
        }
        script.add(
            "response.output_text.done",
            ["item_id": id, "output_index": place, "content_index": 0, "text": .string(text), "logprobs": []],
            textBytes: sent)
        script.add(
            "response.content_part.done",
            ["item_id": id, "output_index": place, "content_index": 0, "part": part(text)], textBytes: sent)
    }

    private func response(_ stage: Stage) -> JSON {
        let isEnded = stage != .inProgress
        var response = JSONObject()
        response["id"] = .string("resp_sandbox_\(number)")
        response["object"] = "response"
        response["created_at"] = .integer(createdAt)
        response["completed_at"] = stage == .completed ? .integer(createdAt) : .null
        response["status"] = .string(stage.rawValue)
        response["background"] = false
        response["error"] = .null
        response["incomplete_details"] = stage == .incomplete ? ["reason": "max_output_tokens"] : .null
        response["model"] = .string(request.model)
        response["output"] = .array(isEnded ? output(stage) : [])
        response["usage"] = isEnded ? usage : .null
        // What the request stated comes back, with the service's defaults for the rest.
        for (name, value) in request.echo.members.map({ ($0.key, $0.value) }) { response[name] = value }
        return .object(response)
    }

    /// The items of the answer: what the model thought, which nobody sees, and what it says, where there is room.
    private func output(_ stage: Stage) -> [JSON] {
        var items: [JSON] = []
        if reasoningTokens > 0 {
            items.append(["id": .string("rs_sandbox_\(number)"), "type": "reasoning", "summary": []])
        }
        if !text.isEmpty || !isCutOff {
            items.append([
                "id": .string(messageID), "type": "message", "status": .string(stage.rawValue), "role": "assistant",
                "content": .array(stage == .inProgress ? [] : [part(text)]),
            ])
        }
        return items
    }

    private func part(_ text: String) -> JSON {
        ["type": "output_text", "text": .string(text), "annotations": [], "logprobs": []]
    }

    private func count(_ value: Int) -> JSON { .integer(Int64(value)) }
}
