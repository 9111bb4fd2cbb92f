import Domain
import PluginABI

extension ProviderError.Code {
    /// The class of a status of the ABI; nil for one that is none.
    init?(_ status: aib_status) {
        switch Int(status) {
        case AIB_E_INVALID, AIB_E_UNSUPPORTED: self = .invalid
        case AIB_E_STALE, AIB_E_AGAIN, AIB_E_INTERNAL: self = .internal
        case AIB_E_CANCELLED: self = .cancelled
        case AIB_E_TIMEOUT: self = .timeout
        case AIB_E_DENIED: self = .denied
        case AIB_E_UPSTREAM: self = .upstream
        case AIB_E_LIMIT: self = .limit
        default: return nil
        }
    }
}

extension PluginInstance {
    /// A call's end in the caller's words.
    func result(_ outcome: HostedCall.Outcome, of call: HostedCall) throws(ProviderError) -> JSON {
        let id = manifest.id
        switch outcome {
        case .completed(aib_status(AIB_OK), let bytes):
            do throws(JSONError) {
                return try JSON.parse(bytes, JSON.Reading(repairsStrings: true))
            } catch {
                count(.invalidResult, call: call)
                throw ProviderError(
                    .internal, "the plugin \(id) completed the call with a result that is no JSON: \(error)",
                    usage: call.lastUsage)
            }
        case .completed(let status, let bytes): throw self.error(status, bytes, of: call)
        case .refused(let status):
            throw ProviderError(
                ProviderError.Code(status) ?? .internal, "the plugin \(id) refused the call with status \(status)",
                isRetryable: status == aib_status(AIB_E_LIMIT))
        case .cancelled:
            throw ProviderError(.cancelled, "the call of \(id) was cancelled", usage: call.lastUsage)
        case .timedOut:
            throw ProviderError(
                .timeout, "the plugin \(id) did not complete the call by its deadline", isRetryable: true,
                usage: call.lastUsage)
        }
    }

    private func error(_ status: aib_status, _ bytes: [UInt8], of call: HostedCall) -> ProviderError {
        guard let code = ProviderError.Code(status) else {
            count(.invalidError, call: call)
            return ProviderError(
                .internal, "the plugin \(manifest.id) completed the call with the unknown status \(status)",
                usage: call.lastUsage)
        }
        let json = try? JSON.parse(bytes, JSON.Reading(repairsStrings: true))
        if json?.objectValue == nil { count(.invalidError, call: call) }
        let stated = json?["usage"].flatMap(TokenUsage.init)
        let rawUsage = json?["raw_usage"].flatMap { $0.objectValue == nil ? nil : $0 }
        return ProviderError(
            code,
            json?["message"]?.stringValue.map(call.scrubber.clean) ?? "the plugin \(manifest.id) gave no reason",
            isRetryable: json?["retryable"]?.boolValue ?? false,
            // A day at most: what a provider asks for beyond that is no longer a retry.
            retryAfter: json?["retry_after_ms"]?.integerValue.map { .milliseconds(min(max($0, 0), 86_400_000)) },
            status: json?["status"]?.integerValue.flatMap(Int.init(exactly:)),
            providerRequestID: json?["provider_request_id"]?.stringValue.map(call.scrubber.clean),
            usage: stated ?? call.lastUsage, rawUsage: rawUsage ?? .null,
            isUsageFinal: stated != nil && json?["usage_is_final"] == true)
    }
}
