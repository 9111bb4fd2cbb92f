internal import PluginABI

/// Why a call failed, in the classes the host acts on.
public struct PluginError: Error, Sendable, Hashable {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The request is wrong; repeating it cannot help.
        case invalid
        /// No such operation, interface or service.
        case unsupported
        /// The key, a permission or the egress rule stands against it.
        case denied
        /// The provider answered with an error or did not answer.
        case upstream
        case timeout
        case cancelled
        /// A limit of the host or the provider: rate, quota, size.
        case limit
        /// The plugin's own mistake.
        case `internal`
    }

    public let code: Code
    /// For the operator. Free of secrets.
    public let message: String
    /// Whether the same call may succeed later.
    public let isRetryable: Bool
    /// What the provider asked for before the next attempt.
    public let retryAfterMilliseconds: Int64?
    /// The provider's HTTP status, when it answered with an error and charges nothing for it.
    public let status: Int?
    public let providerRequestID: String?
    /// What the call consumed before it failed.
    public let usage: JSON?
    /// The provider's own object about it.
    public let rawUsage: JSON?
    /// Whether `usage` is all that the provider will charge: its answer was complete, and could not be used.
    public let isUsageFinal: Bool

    public init(
        _ code: Code, _ message: String, isRetryable: Bool = false, retryAfterMilliseconds: Int64? = nil,
        status: Int? = nil, providerRequestID: String? = nil, usage: JSON? = nil, rawUsage: JSON? = nil,
        isUsageFinal: Bool = false
    ) {
        self.code = code
        self.message = message
        self.isRetryable = isRetryable
        self.retryAfterMilliseconds = retryAfterMilliseconds
        self.status = status
        self.providerRequestID = providerRequestID
        self.usage = usage
        self.rawUsage = rawUsage
        self.isUsageFinal = isUsageFinal
    }
}

extension PluginError: CustomStringConvertible {
    public var description: String { "\(code.rawValue): \(message)" }
}

extension PluginError {
    static let cancelled = PluginError(.cancelled, "the call was cancelled")

    /// Brings whatever an author's function threw to this form.
    init(_ error: any Error) {
        switch error {
        case let error as PluginError: self = error
        case is CancellationError: self = .cancelled
        default: self.init(.internal, "\(type(of: error)): \(error)")
        }
    }

    /// What a service of the host answered instead of `AIB_OK`.
    init(status: aib_status, _ what: String) {
        switch Int(status) {
        case AIB_E_INVALID: self.init(.invalid, "the host refused \(what) as malformed")
        case AIB_E_UNSUPPORTED: self.init(.unsupported, "the host does not offer \(what)")
        case AIB_E_STALE, AIB_E_CANCELLED: self = .cancelled
        case AIB_E_TIMEOUT: self.init(.timeout, "\(what) ran out of time", isRetryable: true)
        case AIB_E_DENIED: self.init(.denied, "the host denied \(what)")
        case AIB_E_UPSTREAM: self.init(.upstream, "\(what) failed upstream", isRetryable: true)
        case AIB_E_LIMIT: self.init(.limit, "\(what) exceeds a limit of the host", isRetryable: true)
        default: self.init(.internal, "the host answered \(status) to \(what)")
        }
    }

    /// The data of an `AIB_EV_FAIL` event.
    init(event data: [UInt8]) {
        guard let json = try? JSON.parse(data, JSON.Reading(repairsStrings: true)) else {
            self.init(.internal, "the host sent a failure that is not JSON")
            return
        }
        self.init(
            json["code"]?.stringValue.flatMap(Code.init(rawValue:)) ?? .internal,
            json["message"]?.stringValue ?? "no reason given", isRetryable: json["retryable"]?.boolValue ?? false)
    }

    var abiStatus: aib_status {
        let value =
            switch code {
            case .invalid: AIB_E_INVALID
            case .unsupported: AIB_E_UNSUPPORTED
            case .denied: AIB_E_DENIED
            case .upstream: AIB_E_UPSTREAM
            case .timeout: AIB_E_TIMEOUT
            case .cancelled: AIB_E_CANCELLED
            case .limit: AIB_E_LIMIT
            case .internal: AIB_E_INTERNAL
            }
        return aib_status(value)
    }

    /// The object that goes with an unsuccessful completion.
    var json: JSON {
        var object = JSONObject()
        object["message"] = .string(message)
        object["retryable"] = .bool(isRetryable)
        object["retry_after_ms"] = retryAfterMilliseconds.map(JSON.integer)
        object["status"] = status.map { .integer(Int64($0)) }
        object["provider_request_id"] = providerRequestID.map(JSON.string)
        object["usage"] = usage
        object["raw_usage"] = rawUsage
        if isUsageFinal { object["usage_is_final"] = true }
        return .object(object)
    }
}
