import Domain
import Synchronization

/// What a provider lets one sandbox take within a minute.
public struct RateLimits: Sendable, Hashable {
    public var requestsPerMinute: Int
    public var tokensPerMinute: Int

    /// Generous by default, so that a limit is met on purpose only.
    public init(requestsPerMinute: Int = 1_000_000, tokensPerMinute: Int = 1_000_000_000) {
        self.requestsPerMinute = max(1, requestsPerMinute)
        self.tokensPerMinute = max(1, tokensPerMinute)
    }
}

/// Counts requests and input tokens by the minute of the clock.
final class RateWindow: Sendable {
    struct Standing: Sendable {
        let limits: RateLimits
        let requestsLeft: Int
        let tokensLeft: Int
        let resetsAt: Timestamp
        /// From 1 to 60.
        let secondsToReset: Int
        let isExceeded: Bool
    }

    private struct Count {
        var minute: Int64 = -1
        var requests = 0
        var tokens = 0
    }

    private static let minute: Int64 = 60_000_000
    private let limits: RateLimits
    private let wallClock: any WallClock
    private let count = Mutex(Count())

    init(limits: RateLimits, wallClock: any WallClock) {
        self.limits = limits
        self.wallClock = wallClock
    }

    /// Counts one request, unless it exceeds a limit.
    func take(tokens: Int) -> Standing { standing(adding: 1, tokens: tokens) }

    /// The standing without a request, for the headers of a refusal.
    func peek() -> Standing { standing(adding: 0, tokens: 0) }

    private func standing(adding requests: Int, tokens: Int) -> Standing {
        let now = wallClock.now().microseconds
        let minute = now / Self.minute
        return count.withLock { count in
            if count.minute != minute { count = Count(minute: minute) }
            let isExceeded =
                count.requests + requests > limits.requestsPerMinute
                || count.tokens + tokens > limits.tokensPerMinute
            if !isExceeded {
                count.requests += requests
                count.tokens += tokens
            }
            return Standing(
                limits: limits, requestsLeft: limits.requestsPerMinute - count.requests,
                tokensLeft: limits.tokensPerMinute - count.tokens,
                resetsAt: Timestamp(microseconds: (minute + 1) * Self.minute),
                secondsToReset: Int((Self.minute - now % Self.minute + 999_999) / 1_000_000), isExceeded: isExceeded)
        }
    }
}
