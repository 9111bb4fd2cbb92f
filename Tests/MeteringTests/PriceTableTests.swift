import Domain
import Testing

@testable import Metering

@Suite struct PriceTableTests {
    private static let november = Timestamp(microseconds: 1_795_421_700_000_000)

    @Test func `the built-in table prices every class of token to the pico-dollar`() throws {
        let usage = TokenUsage(input: 1_001, output: 777, cacheRead: 31, cacheWrite5m: 17, cacheWrite1h: 13)
        let priced = try PriceTable.builtIn.price(
            usage, provider: "claude", model: "claude-haiku-4-5", at: Self.november)
        // In pico-dollars a token: 1,000,000 · 5,000,000 · 100,000 · 1,250,000 · 2,000,000.
        let expected: Int64 = 1_001 * 1_000_000 + 777 * 5_000_000 + 31 * 100_000 + 17 * 1_250_000 + 13 * 2_000_000
        #expect(priced == PricedUsage(cost: Money(picoDollars: expected), version: "2026-11-22"))
    }

    private static let prices: [(String, Int64, Int64)] = [
        ("claude-sonnet-5", 2_000_000, 10_000_000), ("claude-sonnet-5-5", 2_000_000, 10_000_000),
        ("claude-opus-5", 5_000_000, 25_000_000), ("claude-opus-5-5", 4_000_000, 20_000_000),
        ("claude-haiku-5-5", 100_000, 500_000),
    ]

    @Test(arguments: prices)
    func `the built-in table has the current models`(model: String, input: Int64, output: Int64) throws {
        for (usage, price) in [(TokenUsage(input: 1), input), (TokenUsage(output: 1), output)] {
            let priced = try PriceTable.builtIn.price(usage, provider: "claude", model: model, at: Self.november)
            #expect(priced?.cost == Money(picoDollars: price))
        }
    }

    @Test func `the built-in table prices the classes of the provider that has one price for cache writes`() throws {
        let usage = TokenUsage(input: 1_001, output: 777, cacheRead: 31, cacheWrite5m: 17)
        let priced = try PriceTable.builtIn.price(
            usage, provider: "openai", model: "gpt-6-sol", at: Self.november)
        // In pico-dollars a token: 2,000,000 · 10,000,000 · 200,000 · 2,500,000.
        let expected: Int64 = 1_001 * 2_000_000 + 777 * 10_000_000 + 31 * 200_000 + 17 * 2_500_000
        #expect(priced == PricedUsage(cost: Money(picoDollars: expected), version: "2026-11-22"))
    }

    /// Input, output, what was read from the cache and what was written to it.
    private static let openAIPrices: [(String, [Int64])] = [
        ("gpt-5.3-codex", [1_750_000, 14_000_000, 175_000, 1_750_000]),
        ("gpt-5.4", [2_500_000, 15_000_000, 250_000, 2_500_000]),
        ("gpt-5.4-mini", [750_000, 4_500_000, 75_000, 750_000]),
        ("gpt-5.4-nano", [200_000, 1_250_000, 20_000, 200_000]),
        ("gpt-5.5", [5_000_000, 30_000_000, 500_000, 5_000_000]),
        ("gpt-5.6-sol", [4_000_000, 20_000_000, 400_000, 5_000_000]),
        ("gpt-5.6-terra", [2_000_000, 12_000_000, 200_000, 2_500_000]),
        ("gpt-5.6-luna", [200_000, 1_200_000, 20_000, 250_000]),
        ("gpt-6-astra", [10_000_000, 50_000_000, 1_000_000, 12_500_000]),
        ("gpt-6-luna", [100_000, 500_000, 10_000, 125_000]),
        ("gpt-6.1-sol", [2_000_000, 10_000_000, 100_000, 2_500_000]),
    ]

    @Test(arguments: openAIPrices)
    func `the built-in table has the current models of OpenAI`(model: String, prices: [Int64]) throws {
        let usages = [
            TokenUsage(input: 1), TokenUsage(output: 1), TokenUsage(cacheRead: 1), TokenUsage(cacheWrite5m: 1),
        ]
        let costs = try usages.map {
            try PriceTable.builtIn.price($0, provider: "openai", model: model, at: Self.november)?.cost
        }
        #expect(costs == prices.map { Money(picoDollars: $0) })
    }

    private static let openAINames: [(String, Bool)] = [
        ("gpt-5.5-2026-04-23", true), ("gpt-5.4-mini-20260317", true), ("gpt-5.5-2026-04-2", false),
        ("gpt-5.5-2026-0423", false), ("gpt-5.5_2026-04-23", false), ("-2026-04-23", false), ("2026-04-23", false),
        ("gpt-5.5-2026-04-23-2026-04-23", false), ("claude-haiku-4-5", false),
    ]

    @Test(arguments: openAINames)
    func `a date with dashes marks a snapshot too`(model: String, isPriced: Bool) {
        #expect(PriceTable.builtIn.hasPrice(provider: "openai", model: model, at: Self.november) == isPriced)
    }

    private static let names: [(String, Bool)] = [
        ("claude-haiku-4-5-20251001", true), ("claude-opus-4-5-20251101", true), ("claude-haiku-4-5", true),
        ("claude-haiku-4-5-2025100", false), ("claude-haiku-4-5-2025100x", false), ("-20251001", false),
        ("claude-haiku-9", false), ("claude-haiku-4-5-20251001-20251001", false), ("", false),
    ]

    @Test(arguments: names)
    func `a dated snapshot has its base's price, an unknown model has none`(model: String, isPriced: Bool) throws {
        let table = PriceTable.builtIn
        #expect(table.hasPrice(provider: "claude", model: model, at: Self.november) == isPriced)
        let price = try table.price(TokenUsage(input: 1), provider: "claude", model: model, at: Self.november)
        #expect((price != nil) == isPriced)
    }

    @Test func `an unknown provider has no price, nor has a time before the first version`() throws {
        let table = PriceTable.builtIn
        #expect(!table.hasPrice(provider: "openai", model: "claude-haiku-4-5", at: Self.november))
        let before = Timestamp(microseconds: 1_795_305_599_999_999)
        #expect(!table.hasPrice(provider: "claude", model: "claude-haiku-4-5", at: before))
        let first = before.advanced(by: .microseconds(1))
        #expect(table.hasPrice(provider: "claude", model: "claude-haiku-4-5", at: first))
    }

    private static let openAISizes: [(TokenUsage, Int64)] = [
        (TokenUsage(input: 272_000, output: 1), 272_000 * 2_500_000 + 15_000_000),
        (TokenUsage(input: 272_001, output: 1), 272_001 * 5_000_000 + 22_500_000),
    ]

    @Test(arguments: openAISizes)
    func `a request beyond OpenAI's threshold has the larger tier's prices`(usage: TokenUsage, cost: Int64) throws {
        let priced = try PriceTable.builtIn.price(usage, provider: "openai", model: "gpt-5.4", at: Self.november)
        #expect(priced?.cost == Money(picoDollars: cost))
    }

    /// The size of a request counts what was read from and written to a cache.
    private static let sizes: [(TokenUsage, Int64)] = [
        (TokenUsage(input: 100_000, output: 1), 100_000 * 100_000 + 500_000),
        (TokenUsage(input: 100_001, output: 1), 100_001 * 500_000 + 2_500_000),
        (TokenUsage(input: 1, output: 1, cacheRead: 100_000), 500_000 + 2_500_000 + 100_000 * 50_000),
    ]

    @Test(arguments: sizes)
    func `a larger request has the larger tier's prices`(usage: TokenUsage, picoDollars: Int64) throws {
        let priced = try PriceTable.builtIn.price(
            usage, provider: "claude", model: "claude-haiku-5-5", at: Self.november)
        #expect(priced?.cost == Money(picoDollars: picoDollars))
    }

    @Test func `the newest version in force that names the model holds`() throws {
        let table = try Self.table([
            ("new", "2026-12-01", ["m": "3"]), ("old", "2026-01-01", ["m": "1", "only-old": "9"]),
            ("middle", "2026-06-15", ["m": "2"]),
        ])
        #expect(table.versionIDs == ["old", "middle", "new"])
        #expect(try Self.price(table, "m", Self.november) == ["2.00", "middle"])
        #expect(try Self.price(table, "only-old", Self.november) == ["9.00", "old"])
        #expect(try Self.price(table, "m", Self.november.advanced(by: .seconds(86_400 * 30))) == ["3.00", "new"])
        #expect(try Self.price(table, "m", Timestamp(microseconds: 0)) == nil)
    }

    @Test func `an added table overrides what it names and leaves the rest`() throws {
        let base = try Self.table([("base", "2026-11-01", ["a": "1", "b": "1"])])
        let both = try base.adding(Self.table([("ours", "2026-11-01", ["a": "7"])]))
        #expect(try Self.price(both, "a", Self.november) == ["7.00", "ours"])
        #expect(try Self.price(both, "b", Self.november) == ["1.00", "base"])
    }

    @Test func `a class of tokens without a price is not priced as another`() throws {
        let table = try Self.table([("v", "2026-01-01", ["m": "1"])])
        let usage = TokenUsage(input: 1, cacheRead: 1)
        #expect(try table.price(usage, provider: "p", model: "m", at: Self.november) == nil)
    }

    @Test func `a cost beyond the range of money is an error`() throws {
        let table = try Self.table([("v", "2026-01-01", ["m": "9000000"])])
        #expect(throws: MoneyOverflow.self) {
            try table.price(TokenUsage(input: 2), provider: "p", model: "m", at: Self.november)
        }
    }

    private static func table(_ versions: [(id: String, day: String, models: [String: String])]) throws -> PriceTable {
        try PriceTable(json: [
            "versions": .array(
                versions.map { version in
                    var models = JSONObject()
                    for (name, price) in version.models {
                        models[name] = ["input": .string(price), "output": .string(price)]
                    }
                    return [
                        "id": .string(version.id), "effective": .string(version.day),
                        "models": ["p": .object(models)],
                    ]
                })
        ])
    }

    private static func price(_ table: PriceTable, _ model: String, _ time: Timestamp) throws -> [String]? {
        try table.price(TokenUsage(input: 1), provider: "p", model: model, at: time).map {
            [$0.cost.description, $0.version]
        }
    }
}
