import PluginKit

extension ResponseStream {
    /// The operation's result, once the stream has ended.
    ///
    /// - Throws: `PluginError` for an answer that cannot be used, though its tokens are paid all the same.
    func result(for request: GenerateRequest, providerRequestID: String?) throws(PluginError) -> JSON {
        guard let ending else { throw broken("it ended before response.completed") }
        switch ending.status {
        case .failed: throw ProviderFailure.error(failed: ending.response)
        case .incomplete: throw incomplete(ending.response, request)
        case .completed: break
        }
        guard refusal.isEmpty else {
            throw PluginError(.invalid, "the model refused to answer (\(refusal.prefix(500))); change the prompt")
        }
        guard let usage else {
            // Not zero but unknown, and another attempt would be charged unseen as well.
            throw PluginError(
                .upstream, "the answer states no usage; base_url leads to a gateway that leaves it out")
        }
        return [
            "text": .string(text),
            "structured": try structured(by: request.outputSchema),
            "model": .string(model ?? request.model),
            "stop_reason": .string(ending.status.rawValue),
            "usage": usage.json,
            "raw_usage": usage.raw,
            "provider_request_id": providerRequestID.map(JSON.string) ?? .null,
        ]
    }

    private func incomplete(_ response: JSON, _ request: GenerateRequest) -> PluginError {
        let reason = response["incomplete_details"]?["reason"]?.stringValue
        switch reason {
        case "max_output_tokens":
            return PluginError(
                .limit,
                "the answer reached max_output_tokens (\(request.maximumOutputTokens), what the model thinks included) "
                    + "before it was complete; raise max_output_tokens or ask for less in one step")
        case "content_filter":
            return PluginError(.invalid, "OpenAI's content filter stopped the answer; change the prompt")
        default:
            return PluginError(
                .upstream, "OpenAI left the answer incomplete: \(reason?.prefix(100) ?? "no reason given")")
        }
    }

    private func structured(by schema: JSON?) throws(PluginError) -> JSON {
        guard let schema else { return .null }
        if let value = try? JSON.parse(text, JSON.Reading(repairsStrings: true)), value.objectValue != nil {
            return StructuredOutput(schema).restored(value)
        }
        throw PluginError(.upstream, "the answer is not the JSON asked for", isRetryable: true)
    }
}
