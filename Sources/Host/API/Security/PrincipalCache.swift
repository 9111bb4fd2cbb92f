import Domain
import Synchronization

/// Remembers for at most a second whose key was just looked up, so that a busy client costs one look-up a second
/// and a revoked key is refused within one.
final class PrincipalCache: Sendable {
    private struct Entry {
        let principal: Principal
        let lookedUpAt: Timestamp
    }

    static let lifetime = Duration.seconds(1)

    private let entries = Mutex<[String: Entry]>([:])
    private let capacity: Int

    init(capacity: Int = 4_096) { self.capacity = capacity }

    func principal(keyHash: String, at now: Timestamp) -> Principal? {
        entries.withLock { entries in
            guard let entry = entries[keyHash] else { return nil }
            if Self.isFresh(entry, at: now) { return entry.principal }
            entries[keyHash] = nil
            return nil
        }
    }

    /// - Parameter lookedUpAt: When the look-up *began*: a key revoked while it ran must not live longer.
    func insert(_ principal: Principal, keyHash: String, lookedUpAt: Timestamp) {
        entries.withLock { entries in
            if entries.count >= capacity {
                entries = entries.filter { Self.isFresh($0.value, at: lookedUpAt) }
                if entries.count >= capacity { entries.removeAll(keepingCapacity: true) }
            }
            entries[keyHash] = Entry(principal: principal, lookedUpAt: lookedUpAt)
        }
    }

    /// A clock that was set back makes an entry stale, never immortal.
    private static func isFresh(_ entry: Entry, at now: Timestamp) -> Bool {
        let age = now.duration(since: entry.lookedUpAt)
        return age >= .zero && age < lifetime
    }
}
