import Domain
import Synchronization

/// Who has how many requests under way: what bounds the work that waits, and what keeps one user's many requests from
/// standing in the way of another's few.
final class RequestTurns: Sendable {
    private let limits: StreamLimits
    private let unread: UnreadAnswers
    private let total = Atomic(0)
    private let users: StreamPlaces

    init(_ limits: StreamLimits, unread: UnreadAnswers) {
        self.limits = limits
        self.unread = unread
        users = StreamPlaces(StreamLimits(perUser: limits.perUser, total: .max), code: .tooManyRequests)
    }

    /// Counts a request before anything is known of it.
    ///
    /// - Throws: `Problem` `overloaded`.
    func begin() throws(Problem) -> Turn {
        guard !unread.isFull else { throw .overloaded }
        guard total.add(1, ordering: .relaxed).newValue <= limits.total else {
            total.subtract(1, ordering: .relaxed)
            throw .overloaded
        }
        return Turn(self)
    }

    /// One request, from its head until its handler has answered.
    final class Turn: Sendable {
        private let turns: RequestTurns
        private let place = Mutex<StreamPlaces.Place?>(nil)

        fileprivate init(_ turns: RequestTurns) { self.turns = turns }

        deinit { turns.total.subtract(1, ordering: .relaxed) }

        /// Counts the request as this user's.
        ///
        /// - Throws: `Problem` `too_many_requests`.
        func belongs(to user: UUIDv7) throws(Problem) {
            let taken = try turns.users.take(for: user)
            place.withLock { $0 = taken }
        }
    }
}
