public import WireJSON

/// Why a provider call did not succeed, in the classes of the plugin ABI (`AIB_E_…`). The class, not the text,
/// decides what the engine does next.
public struct ProviderError: Error, Sendable, Hashable {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The request is wrong; sending it again cannot help.
        case invalid
        /// The provider or the host refused it: key, permission, egress.
        case denied
        /// The provider answered with an error or did not answer.
        case upstream
        case timeout
        case cancelled
        /// A limit of the host or the provider (rate, quota, size).
        case limit
        /// The plugin or the host broke a rule.
        case `internal`
    }

    public let code: Code
    /// For operators and logs. Free of secrets; shown to an API client only through the engine's own words.
    public let message: String
    /// Whether the same call may succeed later.
    public let isRetryable: Bool
    /// What the provider asked for before the next attempt.
    public let retryAfter: Duration?
    /// The provider's HTTP status, when it answered.
    public let status: Int?
    public let providerRequestID: String?
    /// Consumption the provider reported before it failed.
    public let usage: TokenUsage?
    /// The provider's usage as it sent it, where it did.
    public let rawUsage: JSON
    /// Whether `usage` is the provider's last word: the call is billed exactly although it failed.
    public let isUsageFinal: Bool

    public init(
        _ code: Code, _ message: String, isRetryable: Bool = false, retryAfter: Duration? = nil, status: Int? = nil,
        providerRequestID: String? = nil, usage: TokenUsage? = nil, rawUsage: JSON = .null,
        isUsageFinal: Bool = false
    ) {
        self.code = code
        self.message = message
        self.isRetryable = isRetryable
        self.retryAfter = retryAfter
        self.status = status
        self.providerRequestID = providerRequestID
        self.usage = usage
        self.rawUsage = rawUsage
        self.isUsageFinal = isUsageFinal
    }
}

extension ProviderError: CustomStringConvertible {
    public var description: String {
        status.map { "\(code.rawValue) (status \($0)): \(message)" } ?? "\(code.rawValue): \(message)"
    }
}
