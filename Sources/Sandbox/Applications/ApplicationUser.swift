import Files
import Glibc
import Synchronization

/// Who an application runs as.
struct ApplicationUser: Sendable, Hashable {
    let uid: uid_t
    let gid: gid_t

    /// Whether it is another user than this process's.
    var isOther: Bool { uid != geteuid() }
}

/// The users for applications: where this process is root, ids of a range that nobody has; else its own user.
final class ApplicationUsers: Sendable {
    private let range: Range<uid_t>
    private let taken = Mutex<Set<uid_t>>([])

    init(_ range: Range<uid_t>) { self.range = range }

    /// Blocks for a look at the system's processes.
    func take() throws(ApplicationFailure) -> ApplicationUser {
        guard geteuid() == 0 else { return ApplicationUser(uid: geteuid(), gid: getegid()) }
        let busy = Self.usersWithProcesses()
        let free = taken.withLock { taken -> uid_t? in
            guard let free = range.first(where: { !taken.contains($0) && !busy.contains($0) }) else { return nil }
            taken.insert(free)
            return free
        }
        guard let free else {
            throw ApplicationFailure(
                .build, "no user is free to run it: \(range.count) applications run at once at most")
        }
        return ApplicationUser(uid: free, gid: free)
    }

    func release(_ user: ApplicationUser) { _ = taken.withLock { $0.remove(user.uid) } }

    private static func usersWithProcesses() -> Set<uid_t> {
        var users: Set<uid_t> = []
        for name in FileTree.names(in: "/proc") where name.allSatisfy(\.isNumber) {
            var status = stat()
            if unsafe stat("/proc/\(name)", &status) == 0 { users.insert(status.st_uid) }
        }
        return users
    }
}
