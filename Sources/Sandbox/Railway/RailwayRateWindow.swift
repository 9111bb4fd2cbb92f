import Domain
import HTTPTypes
import Synchronization

/// Counts requests by the hour of the clock.
final class RailwayRateWindow: Sendable {
    struct Standing: Sendable {
        let limit: Int
        let left: Int
        let resetsAt: Timestamp
        /// From 1 to 3600.
        let secondsToReset: Int
        let isExceeded: Bool
    }

    private static let hour: Int64 = 3_600_000_000
    private let limit: Int
    private let wallClock: any WallClock
    private let state = Mutex<(hour: Int64, count: Int)>((-1, 0))

    init(limit: Int, wallClock: any WallClock) {
        self.limit = limit
        self.wallClock = wallClock
    }

    /// Counts one request, unless it exceeds the limit.
    func take() -> Standing {
        let now = wallClock.now().microseconds
        let hour = now / Self.hour
        return state.withLock { state in
            if state.hour != hour { state = (hour, 0) }
            let isExceeded = state.count >= limit
            if !isExceeded { state.count += 1 }
            return Standing(
                limit: limit, left: limit - state.count, resetsAt: Timestamp(microseconds: (hour + 1) * Self.hour),
                secondsToReset: Int((Self.hour - now % Self.hour + 999_999) / 1_000_000), isExceeded: isExceeded)
        }
    }
}

extension RailwayRateWindow.Standing {
    /// The headers that the platform documents.
    func write(to headers: inout HTTPFields) {
        headers[.railwayLimit] = String(limit)
        headers[.railwayRemaining] = String(left)
        headers[.railwayReset] = resetsAt.description
        if isExceeded { headers[.retryAfter] = String(secondsToReset) }
    }
}

// Every name below is a valid token, so none of these is nil.
extension HTTPField.Name {
    fileprivate static let railwayLimit = Self("x-ratelimit-limit")!
    fileprivate static let railwayRemaining = Self("x-ratelimit-remaining")!
    fileprivate static let railwayReset = Self("x-ratelimit-reset")!
}
