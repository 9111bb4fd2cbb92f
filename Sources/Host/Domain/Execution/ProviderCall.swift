/// A provider call about to be sent: the row of `ai_api_calls` that is durable before the first byte leaves.
public struct ProviderCall: Sendable, Hashable {
    /// Its time is the row's `created_at`.
    public let id: UUIDv7
    public let stepID: String
    public let attempt: Int
    public let route: Route
    /// The model asked for.
    public let model: String?

    public init(id: UUIDv7, stepID: String, attempt: Int, route: Route, model: String?) {
        self.id = id
        self.stepID = stepID
        self.attempt = attempt
        self.route = route
        self.model = model
    }
}

/// What is known of a provider call's price.
public enum SettlementState: String, Sendable, Hashable, CaseIterable {
    /// Written before sending; its worker is alive.
    case open
    /// The provider's final usage was read: exact.
    case settled
    /// Cut off; usage is what the provider had reported by then.
    case estimated
    /// Cut off before the provider reported anything, or by a crash.
    case unknown
}

/// The outcome of a provider call.
public struct CallSettlement: Sendable, Hashable {
    public let id: UUIDv7
    /// Not `open`.
    public let state: SettlementState
    /// The model that answered.
    public let model: String?
    public let usage: TokenUsage?
    /// The provider's usage as it sent it, so that any bill can be computed again.
    public let rawUsage: JSON
    public let cost: Money
    /// The price table version `cost` was computed with; nil where nothing was priced.
    public let priceVersion: String?
    public let latency: Duration
    public let error: ProviderError?
    public let providerRequestID: String?

    public init(
        id: UUIDv7, state: SettlementState, model: String?, usage: TokenUsage?, rawUsage: JSON, cost: Money,
        priceVersion: String?, latency: Duration, error: ProviderError?, providerRequestID: String?
    ) {
        self.id = id
        self.state = state
        self.model = model
        self.usage = usage
        self.rawUsage = rawUsage
        self.cost = cost
        self.priceVersion = priceVersion
        self.latency = latency
        self.error = error
        self.providerRequestID = providerRequestID
    }
}
