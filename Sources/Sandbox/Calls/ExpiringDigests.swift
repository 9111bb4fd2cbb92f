import Domain

/// The digests of what a provider's prompt cache holds, each for its lifetime, which each use starts anew.
struct ExpiringDigests {
    private struct Entry {
        let lifetime: Duration
        var expiresAt: Timestamp
    }

    private let capacity: Int
    private var entries: [Int: Entry] = [:]

    /// - Parameter capacity: where it is reached, what has expired leaves, and all the rest if that is not enough.
    init(capacity: Int) { self.capacity = capacity }

    func contains(_ digest: Int, at now: Timestamp) -> Bool { entries[digest].map { $0.expiresAt > now } ?? false }

    mutating func keep(_ digest: Int, for lifetime: Duration, at now: Timestamp) {
        if entries.count >= capacity {
            entries = entries.filter { $0.value.expiresAt > now }
            if entries.count >= capacity { entries.removeAll() }
        }
        entries[digest] = Entry(lifetime: lifetime, expiresAt: now.advanced(by: lifetime))
    }

    mutating func refresh(_ digest: Int, at now: Timestamp) {
        guard let entry = entries[digest] else { return }
        entries[digest]?.expiresAt = now.advanced(by: entry.lifetime)
    }
}

extension Hasher {
    /// The digest of what was combined so far; the hasher goes on.
    var soFar: Int {
        let copy = self
        return copy.finalize()
    }
}
