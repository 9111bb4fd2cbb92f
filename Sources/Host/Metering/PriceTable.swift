public import Domain

/// The prices of models by provider and time: dated versions, each of which prices the models it names from its
/// day on until a later version prices them anew.
public struct PriceTable: Sendable {
    /// Oldest first; of one day, those added later come later.
    let versions: [PriceVersion]

    /// What this release ships.
    public static let builtIn: PriceTable = {
        // The text is a constant of this module, and a test reads it.
        do { return try PriceTable(json: JSON.parse(builtInText)) } catch { fatalError("built-in prices: \(error)") }
    }()

    init(versions: [PriceVersion]) {
        self.versions = versions.enumerated().sorted {
            ($0.element.effective, $0.offset) < ($1.element.effective, $1.offset)
        }.map(\.element)
    }

    /// This table with the versions of another above its own: where both have a version of one day, the other's
    /// prices hold.
    public func adding(_ other: PriceTable) -> PriceTable { PriceTable(versions: versions + other.versions) }

    /// The ids of the versions, oldest first.
    public var versionIDs: [String] { versions.map(\.id) }

    /// The newest price in force at a time, with its version.
    private func entry(_ provider: String, _ model: String, _ time: Timestamp) -> (ModelPrice, version: String)? {
        for version in versions.reversed() where version.effective <= time {
            if let price = version.price(provider: provider, model: model) { return (price, version.id) }
        }
        return nil
    }
}

extension PriceTable: Pricing {
    /// - Returns: nil also where the usage has tokens of a class for which the model has no price.
    public func price(
        _ usage: TokenUsage, provider: String, model: String, at time: Timestamp
    ) throws(MoneyOverflow) -> PricedUsage? {
        guard let (price, version) = entry(provider, model, time), let cost = try price.cost(of: usage) else {
            return nil
        }
        return PricedUsage(cost: cost, version: version)
    }

    public func hasPrice(provider: String, model: String, at time: Timestamp) -> Bool {
        entry(provider, model, time) != nil
    }
}

/// The prices that came into force on one day.
struct PriceVersion: Sendable {
    let id: String
    /// Midnight UTC of the day from which the prices hold.
    let effective: Timestamp
    /// Provider, then model.
    let models: [String: [String: ModelPrice]]

    /// The model's price; a dated snapshot (`claude-haiku-4-5-20251001`, `gpt-5.5-2026-04-23`) without one of its own
    /// has its base's.
    func price(provider: String, model: String) -> ModelPrice? {
        guard let models = models[provider] else { return nil }
        return models[model] ?? Self.base(of: model).flatMap { models[$0] }
    }

    /// The name before the date with which it ends.
    private static func base(of model: String) -> String? {
        for form in ["-dddddddd", "-dddd-dd-dd"] where model.utf8.count > form.utf8.count {
            let isDated = zip(model.utf8.suffix(form.utf8.count), form.utf8).allSatisfy { byte, expected in
                expected == UInt8(ascii: "d")
                    ? UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte : byte == expected
            }
            // The suffix is ASCII, so a character is a byte.
            if isDated { return String(model.dropLast(form.utf8.count)) }
        }
        return nil
    }
}
