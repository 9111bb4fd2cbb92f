import PluginKit

/// A call's consumption as the provider stated it, once, with the end of its answer.
struct StatedUsage: Sendable, Hashable {
    /// The provider's own object.
    let raw: JSON

    /// nil while the provider has stated none.
    init?(_ usage: JSON?) {
        guard let usage, let members = usage.objectValue, !members.isEmpty else { return nil }
        raw = usage
    }

    /// The consumption by the host's classes, which are disjoint.
    ///
    /// The provider's are not: what was read from and written to its cache is part of its `input_tokens`, and what the
    /// model thought is part of its `output_tokens`. It keeps a cache entry for half an hour and has one price for
    /// writing it, so writes count in the shorter of the host's two classes.
    var json: JSON {
        let input = Self.count(raw["input_tokens"])
        let read = min(Self.count(raw["input_tokens_details"]?["cached_tokens"]), input)
        let written = min(Self.count(raw["input_tokens_details"]?["cache_write_tokens"]), input - read)
        return [
            "input_tokens": .integer(input - read - written),
            "output_tokens": .integer(Self.count(raw["output_tokens"])),
            "cache_read_tokens": .integer(read),
            "cache_write_5m_tokens": .integer(written),
            "cache_write_1h_tokens": 0,
        ]
    }

    /// A count within what a ledger can hold; anything else the provider may send counts as nothing and stays visible
    /// in `raw`.
    private static func count(_ value: JSON?) -> Int64 {
        guard let count = value?.integerValue, (0...1_000_000_000_000).contains(count) else { return 0 }
        return count
    }
}
