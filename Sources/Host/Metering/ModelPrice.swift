import Domain

/// What a model costs per token, by class of token and by the size of the request.
struct ModelPrice: Sendable, Hashable {
    /// The prices of one size of request.
    struct Tier: Sendable, Hashable {
        /// The tier holds for requests with more input tokens, cached ones included, than this.
        let aboveInputTokens: Int64
        let input: Money
        let output: Money
        /// nil where the provider has no such class.
        let cacheRead: Money?
        let cacheWrite5m: Money?
        let cacheWrite1h: Money?
    }

    /// By rising threshold; the first has the threshold -1 and holds for every request.
    let tiers: [Tier]

    /// The exact cost of one call; nil where it used a class of token that has no price.
    func cost(of usage: TokenUsage) throws(MoneyOverflow) -> Money? {
        guard let tier = tiers.last(where: { usage.totalInput > $0.aboveInputTokens }) else { return nil }
        var total = Money.zero
        for (count, price) in [
            (usage.input, tier.input), (usage.output, tier.output), (usage.cacheRead, tier.cacheRead),
            (usage.cacheWrite5m, tier.cacheWrite5m), (usage.cacheWrite1h, tier.cacheWrite1h),
        ] where count != 0 {
            guard let price else { return nil }
            total = try total.adding(price.times(count))
        }
        return total
    }
}
