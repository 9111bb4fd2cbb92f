import Domain
import Synchronization

/// The provider's prompt cache: it finds the longest beginning of a prompt that it has seen before, without being
/// asked to. Beginnings shorter than `minimumTokens` are not cached, and longer ones in whole steps.
/// https://platform.openai.com/docs/guides/prompt-caching
final class PrefixCache: Sendable {
    /// How a request's input divides: what is read and what is written are parts of the whole.
    struct Consumption: Sendable, Hashable {
        var input = 0
        var read = 0
        var written = 0
    }

    static let minimumTokens = 1_024
    static let stepTokens = 128
    static let lifetime = Duration.seconds(1_800)

    private let wallClock: any WallClock
    private let entries = Mutex(ExpiringDigests(capacity: 100_000))

    init(wallClock: any WallClock) { self.wallClock = wallClock }

    /// Divides a request's input and remembers its beginnings.
    ///
    /// - Parameter scope: who pays and what reads the prompt (key, model): caches of different scopes share nothing.
    func consume(_ parts: [ResponsesRequest.Part], scope: [String]) -> Consumption {
        let (prefixes, total) = Self.prefixes(of: parts, scope: scope)
        let now = wallClock.now()
        return entries.withLock { entries in
            var consumption = Consumption(input: total)
            for prefix in prefixes {
                if entries.contains(prefix.digest, at: now) {
                    entries.refresh(prefix.digest, at: now)
                    consumption.read = prefix.tokens
                } else {
                    entries.keep(prefix.digest, for: Self.lifetime, at: now)
                    consumption.written = prefix.tokens - consumption.read
                }
            }
            return consumption
        }
    }

    private static func prefixes(
        of parts: [ResponsesRequest.Part], scope: [String]
    ) -> (prefixes: [(digest: Int, tokens: Int)], total: Int) {
        var hasher = Hasher()
        hasher.combine(scope)
        var prefixes: [(digest: Int, tokens: Int)] = []
        var tokens = 0
        for part in parts {
            hasher.combine(part.role)
            var rest = part.text.utf8[...]
            while !rest.isEmpty {
                for byte in rest.prefix(TokenCount.bytesPerToken) { hasher.combine(byte) }
                rest = rest.dropFirst(TokenCount.bytesPerToken)
                tokens += 1
                if tokens >= minimumTokens, tokens.isMultiple(of: stepTokens) {
                    prefixes.append((hasher.soFar, tokens))
                }
            }
        }
        return (prefixes, tokens)
    }
}
