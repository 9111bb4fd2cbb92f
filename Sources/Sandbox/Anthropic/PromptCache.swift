import Domain
import Synchronization

/// The provider's prompt cache: which prefixes it still holds, and what a request therefore pays for.
///
/// A prefix is everything up to a block marked with `cache_control`. It is kept for its lifetime, which each use
/// starts anew. Prefixes shorter than `minimumTokens` are not cached, and a known prefix is found at most
/// `lookback` blocks before the last marked one. https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching
final class PromptCache: Sendable {
    enum Lifetime: String, Sendable {
        case fiveMinutes = "5m"
        case oneHour = "1h"

        var duration: Duration { self == .fiveMinutes ? .seconds(300) : .seconds(3_600) }
    }

    /// How a request's input divides; the parts are disjoint.
    struct Consumption: Sendable, Hashable {
        var input = 0
        var read = 0
        var written5m = 0
        var written1h = 0
    }

    /// The smallest prefix that the provider's larger models cache.
    static let minimumTokens = 1_024
    static let lookback = 20

    private struct Prefix {
        let digest: Int
        let tokens: Int
        let lifetime: Lifetime?
    }

    private let wallClock: any WallClock
    private let entries = Mutex(ExpiringDigests(capacity: 10_000))

    init(wallClock: any WallClock) { self.wallClock = wallClock }

    /// Divides a request's input and remembers the prefixes that it marks.
    ///
    /// - Parameter scope: who pays and what reads the prompt (key, model, schema): caches of different scopes share
    ///   nothing.
    func consume(_ blocks: [MessagesRequest.Block], scope: [String]) -> Consumption {
        let prefixes = Self.prefixes(of: blocks, scope: scope)
        let total = prefixes.last?.tokens ?? 0
        guard let last = prefixes.lastIndex(where: { $0.lifetime != nil && $0.tokens >= Self.minimumTokens }) else {
            return Consumption(input: total)
        }
        let now = wallClock.now()
        return entries.withLock { entries in
            let hit = (max(0, last - Self.lookback)...last).reversed()
                .first { entries.contains(prefixes[$0].digest, at: now) }
            var consumption = Consumption()
            if let hit {
                consumption.read = prefixes[hit].tokens
                entries.refresh(prefixes[hit].digest, at: now)
            }
            var known = consumption.read
            for prefix in prefixes[((hit ?? -1) + 1)...] where prefix.tokens >= Self.minimumTokens {
                guard let lifetime = prefix.lifetime else { continue }
                switch lifetime {
                case .fiveMinutes: consumption.written5m += prefix.tokens - known
                case .oneHour: consumption.written1h += prefix.tokens - known
                }
                known = prefix.tokens
                entries.keep(prefix.digest, for: lifetime.duration, at: now)
            }
            consumption.input = total - known
            return consumption
        }
    }

    private static func prefixes(of blocks: [MessagesRequest.Block], scope: [String]) -> [Prefix] {
        var hasher = Hasher()
        hasher.combine(scope)
        var tokens = 0
        return blocks.map { block in
            hasher.combine(block.role)
            hasher.combine(block.text)
            tokens += TokenCount.tokens(in: block.text)
            return Prefix(digest: hasher.soFar, tokens: tokens, lifetime: block.cacheLifetime)
        }
    }
}
