/// What one provider call consumed, by the classes that providers price differently.
///
/// The classes are disjoint: `input` counts tokens that were neither read from nor written to a cache. A provider
/// that reports cached tokens as a subset of its input (OpenAI) is brought to this form by its plugin.
public struct TokenUsage: Sendable, Hashable {
    public var input: Int64 = 0
    public var output: Int64 = 0
    public var cacheRead: Int64 = 0
    /// Written to a cache that lives five minutes.
    public var cacheWrite5m: Int64 = 0
    /// Written to a cache that lives one hour.
    public var cacheWrite1h: Int64 = 0

    public init(
        input: Int64 = 0, output: Int64 = 0, cacheRead: Int64 = 0, cacheWrite5m: Int64 = 0, cacheWrite1h: Int64 = 0
    ) {
        self.input = input
        self.output = output
        self.cacheRead = cacheRead
        self.cacheWrite5m = cacheWrite5m
        self.cacheWrite1h = cacheWrite1h
    }

    /// Everything that went in, cached or not: what `ai_api_calls.input_tokens` records.
    public var totalInput: Int64 { input &+ cacheRead &+ cacheWrite5m &+ cacheWrite1h }
}

extension TokenUsage {
    private static let names: [(String, any WritableKeyPath<TokenUsage, Int64> & Sendable)] = [
        ("input_tokens", \.input), ("output_tokens", \.output), ("cache_read_tokens", \.cacheRead),
        ("cache_write_5m_tokens", \.cacheWrite5m), ("cache_write_1h_tokens", \.cacheWrite1h),
    ]

    /// Reads the `usage` object of an `ai.generate` result or usage chunk. Absent classes are zero; nil if one is
    /// not a whole number from 0 to 10¹² or the value is not an object.
    public init?(_ json: JSON) {
        guard json.objectValue != nil else { return nil }
        self.init()
        for (name, path) in Self.names {
            guard let value = json[name] else { continue }
            guard let count = value.integerValue, (0...1_000_000_000_000).contains(count) else { return nil }
            self[keyPath: path] = count
        }
    }

    public var json: JSON {
        var object = JSONObject()
        for (name, path) in Self.names { object[name] = .integer(self[keyPath: path]) }
        return .object(object)
    }
}
