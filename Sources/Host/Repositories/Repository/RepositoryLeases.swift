import Domain
import Synchronization

/// Who reads which state of which execution's source: what is read is not removed.
final class RepositoryLeases: Sendable {
    /// The right to read a repository, given back with its last reference.
    final class Lease: Sendable {
        let execution: UUIDv7
        let digest: String
        private let leases: RepositoryLeases

        fileprivate init(_ execution: UUIDv7, _ digest: String, _ leases: RepositoryLeases) {
            self.execution = execution
            self.digest = digest
            self.leases = leases
        }

        deinit { leases.end(execution, digest) }
    }

    private let counts = Mutex<[UUIDv7: [String: Int]]>([:])

    func take(_ execution: UUIDv7, _ digest: String) -> Lease {
        counts.withLock { $0[execution, default: [:]][digest, default: 0] += 1 }
        return Lease(execution, digest, self)
    }

    func digests(of execution: UUIDv7) -> Set<String> {
        counts.withLock { Set($0[execution, default: [:]].keys) }
    }

    private func end(_ execution: UUIDv7, _ digest: String) {
        counts.withLock { counts in
            let left = (counts[execution]?[digest] ?? 1) - 1
            counts[execution]?[digest] = left > 0 ? left : nil
            if counts[execution]?.isEmpty == true { counts[execution] = nil }
        }
    }
}
