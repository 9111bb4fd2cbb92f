import PluginKit

extension MessageStream {
    /// The operation's result, once the stream has ended.
    ///
    /// - Throws: `PluginError` with the consumption: the tokens of an answer that cannot be used are paid all the same.
    func result(for request: GenerateRequest, providerRequestID: String?) throws(PluginError) -> JSON {
        guard isComplete else { throw broken("it ended before message_stop") }
        guard let stopReason else { throw broken("it states no stop_reason") }
        guard !usage.isEmpty else {
            // Not zero but unknown, and another attempt would be charged unseen as well.
            throw failure(.upstream, "the answer states no usage; base_url leads to a gateway that leaves it out")
        }
        try checkStop(stopReason, request)
        return [
            "text": .string(text),
            "structured": request.outputSchema == nil ? .null : try structured(),
            "model": .string(model ?? request.model),
            "stop_reason": .string(stopReason),
            "usage": usage.json,
            "raw_usage": .object(usage.raw),
            "provider_request_id": providerRequestID.map(JSON.string) ?? .null,
        ]
    }

    private func checkStop(_ reason: String, _ request: GenerateRequest) throws(PluginError) {
        switch reason {
        case "refusal":
            let why = [stopDetails?["category"], stopDetails?["explanation"]].compactMap { $0?.stringValue }
            throw failure(
                .invalid,
                "the model refused to answer"
                    + (why.isEmpty ? "" : " (\(why.joined(separator: ": ").prefix(500)))")
                    + "; change the prompt")
        case "tool_use", "pause_turn":
            throw failure(.internal, "the model stopped for \(reason), though it was given no tools")
        case "max_tokens" where request.outputSchema != nil:
            throw failure(
                .limit,
                "the answer reached max_output_tokens (\(request.maximumOutputTokens)) before its JSON was complete; "
                    + "raise max_output_tokens or ask for less in one step")
        case "model_context_window_exceeded" where request.outputSchema != nil:
            throw failure(
                .limit,
                "prompt and answer outgrew the context window of \(model ?? request.model) before the answer's JSON "
                    + "was complete; send less context or choose a model with a larger window")
        default: break
        }
    }

    private func structured() throws(PluginError) -> JSON {
        if let value = try? JSON.parse(text, JSON.Reading(repairsStrings: true)), value.objectValue != nil {
            return value
        }
        throw failure(.upstream, "the answer is not the JSON asked for", isRetryable: true)
    }

    private func failure(
        _ code: PluginError.Code, _ message: String, isRetryable: Bool = false
    ) -> PluginError {
        PluginError(code, message, isRetryable: isRetryable, usage: usage.jsonIfAny)
    }
}
