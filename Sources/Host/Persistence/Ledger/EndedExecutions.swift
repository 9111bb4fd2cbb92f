import Domain
import Synchronization

/// The texts of executions that will never change again, as far as they were read lately.
///
/// Bounded in bytes and in time: texts are kept by generations, and a generation ends when it is full or old. A text
/// is read anew after at most two of them, so that a row that an operator removes by hand does not outlive itself.
final class EndedExecutions: Sendable {
    private struct Entry {
        let user: UUIDv7
        let text: String
    }

    private struct Generation {
        var entries: [UUIDv7: Entry] = [:]
        var bytes = 0
        let end: ContinuousClock.Instant

        init(at now: ContinuousClock.Instant) { end = now.advanced(by: lifetime) }
    }

    private struct State {
        var current: Generation
        var previous: Generation?
    }

    private static let lifetime = Duration.seconds(30)

    private let capacity: Int
    private let state: Mutex<State>

    /// - Parameter capacity: bytes of texts in a generation.
    init(capacity: Int = 8_388_608, at now: ContinuousClock.Instant = .now) {
        self.capacity = capacity
        state = Mutex(State(current: Generation(at: now)))
    }

    func text(_ id: UUIDv7, of user: UUIDv7, at now: ContinuousClock.Instant = .now) -> String? {
        state.withLock { state in
            if now >= state.current.end { Self.turn(&state, at: now) }
            guard let entry = state.current.entries[id] ?? state.previous?.entries[id], entry.user == user else {
                return nil
            }
            return entry.text
        }
    }

    /// Keeps a text, unless it alone would take a large part of all there is room for.
    func keep(_ text: String, _ id: UUIDv7, of user: UUIDv7, at now: ContinuousClock.Instant = .now) {
        let bytes = text.utf8.count
        guard bytes <= capacity / 16 else { return }
        state.withLock { state in
            if now >= state.current.end || state.current.bytes + bytes > capacity { Self.turn(&state, at: now) }
            guard state.current.entries.updateValue(Entry(user: user, text: text), forKey: id) == nil else { return }
            state.current.bytes += bytes
        }
    }

    /// What was read in the last generation stays for one more; unless that one is long over.
    private static func turn(_ state: inout State, at now: ContinuousClock.Instant) {
        state.previous = now - state.current.end < lifetime ? state.current : nil
        state.current = Generation(at: now)
    }
}
