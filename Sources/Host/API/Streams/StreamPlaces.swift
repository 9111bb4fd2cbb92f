import Domain
import HTTPTypes
import Synchronization

/// How many answers may be under way.
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
    /// Of requests, as long as their answers do not last.
    public static let requests = StreamLimits(perUser: 200, total: 2_000)
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
    private let code: ProblemCode
    private let state = Mutex(State())

    /// - Parameter code: what a user is told who has too many.
    init(_ limits: StreamLimits, code: ProblemCode = .tooManyStreams) {
        self.limits = limits
        self.code = code
    }

    /// How many are taken.
    var taken: Int { state.withLock { $0.total } }

    /// - Throws: `Problem` of the user's code, or `overloaded`.
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
                code, "You have \(limits.perUser) of these under way already; end one first.",
                headers: [.retryAfter: code == .tooManyStreams ? "5" : "1"])
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
