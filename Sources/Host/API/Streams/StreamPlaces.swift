import Domain
import HTTPTypes
import Synchronization

/// How many answers that last may be under way.
public struct StreamLimits: Sendable, Hashable {
    /// For one user.
    public var perUser: Int
    /// For all users of this host.
    public var total: Int

    public init(perUser: Int, total: Int) {
        self.perUser = perUser
        self.total = total
    }

    /// Of log lines.
    public static let logs = StreamLimits(perUser: 50, total: 2_000)
    /// Of clones: each keeps a process busy.
    public static let clones = StreamLimits(perUser: 4, total: 64)
}

/// Who has how many answers under way.
final class StreamPlaces: Sendable {
    /// The right to one answer, given back with its last reference: whatever becomes of the answer.
    final class Place: Sendable {
        private let places: StreamPlaces
        private let user: UUIDv7

        fileprivate init(_ places: StreamPlaces, _ user: UUIDv7) {
            self.places = places
            self.user = user
        }

        deinit { places.giveBack(user) }
    }

    private struct State {
        var total = 0
        var users: [UUIDv7: Int] = [:]
    }

    private enum Refusal { case user, all }

    private let limits: StreamLimits
    private let state = Mutex(State())

    init(_ limits: StreamLimits) { self.limits = limits }

    /// How many are taken.
    var taken: Int { state.withLock { $0.total } }

    /// - Throws: `Problem` `too_many_streams` or `overloaded`.
    func take(for user: UUIDv7) throws(Problem) -> Place {
        let refusal: Refusal? = state.withLock { state in
            let own = state.users[user, default: 0]
            guard own < limits.perUser else { return .user }
            guard state.total < limits.total else { return .all }
            state.users[user] = own + 1
            state.total += 1
            return nil
        }
        switch refusal {
        case nil: return Place(self, user)
        case .user:
            throw Problem(
                .tooManyStreams, "You have \(limits.perUser) of these under way already; end one first.",
                headers: [.retryAfter: "5"])
        case .all: throw .overloaded
        }
    }

    private func giveBack(_ user: UUIDv7) {
        state.withLock { state in
            state.total -= 1
            let own = state.users[user, default: 1] - 1
            state.users[user] = own > 0 ? own : nil
        }
    }
}
