import PluginKit

/// A call's consumption as the provider last stated it.
struct UsageTally: Sendable, Hashable {
    /// The provider's own object: the latest value of each member it has sent.
    private(set) var raw = JSONObject()

    /// Takes over what an event states. Figures are cumulative, so a member replaces the one before; an absent or
    /// null member leaves it.
    mutating func update(_ usage: JSON?) {
        for member in usage?.objectValue?.members ?? [] where !member.value.isNull { raw[member.key] = member.value }
    }

    var isEmpty: Bool { raw.isEmpty }

    /// The consumption by the host's classes, which are disjoint like the provider's: `input_tokens` counts neither
    /// what was read from nor what was written to the cache.
    ///
    /// Cache writes without their lifetime count as five-minute writes, the provider's default.
    var json: JSON {
        let oneHour = Self.count(raw["cache_creation"]?["ephemeral_1h_input_tokens"])
        let fiveMinutes = Self.count(raw["cache_creation"]?["ephemeral_5m_input_tokens"])
        let written = max(Self.count(raw["cache_creation_input_tokens"]), oneHour + fiveMinutes)
        return [
            "input_tokens": .integer(Self.count(raw["input_tokens"])),
            "output_tokens": .integer(Self.count(raw["output_tokens"])),
            "cache_read_tokens": .integer(Self.count(raw["cache_read_input_tokens"])),
            "cache_write_5m_tokens": .integer(written - oneHour),
            "cache_write_1h_tokens": .integer(oneHour),
        ]
    }

    /// The consumption by the host's classes, or nil while the provider has stated none.
    var jsonIfAny: JSON? { isEmpty ? nil : json }

    /// A count within what a ledger can hold; anything else the provider may send counts as nothing and stays visible
    /// in `raw`.
    private static func count(_ value: JSON?) -> Int64 {
        guard let count = value?.integerValue, (0...1_000_000_000_000).contains(count) else { return 0 }
        return count
    }
}
