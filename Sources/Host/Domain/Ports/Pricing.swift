/// A provider call's price, exact, with the version of the table it came from.
public struct PricedUsage: Sendable, Hashable {
    public let cost: Money
    public let version: String

    public init(cost: Money, version: String) {
        self.cost = cost
        self.version = version
    }
}

/// The port to the price table.
public protocol Pricing: Sendable {
    /// Prices what a call consumed at the time it was made. nil where the table has no price for the model: such
    /// a model is refused before a call is sent, so that nothing is ever metered at an invented price.
    func price(_ usage: TokenUsage, provider: String, model: String, at time: Timestamp) throws(MoneyOverflow)
        -> PricedUsage?
    /// Whether the table prices this model now.
    func hasPrice(provider: String, model: String, at time: Timestamp) -> Bool
}
