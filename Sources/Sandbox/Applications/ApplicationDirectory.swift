import Files
import Glibc
import Processes
import Synchronization

/// The directory below which applications live: this process's alone, and empty when it begins. Its methods block.
final class ApplicationDirectory: Sendable {
    private let path: String
    /// The lock's descriptor, once it is held; it is never given back.
    private let lock = Mutex<Int32?>(nil)

    /// - Parameter path: absolute.
    init(_ path: String) { self.path = path }

    /// Makes the directories of an application.
    ///
    /// - Parameter id: of lower-case hexadecimal digits and hyphens.
    func make(_ id: String, for user: ApplicationUser) throws(ApplicationFailure) -> ApplicationLayout {
        guard (1...64).contains(id.utf8.count), id.allSatisfy({ "0123456789abcdef-".contains($0) }) else {
            throw ApplicationFailure(.build, "an application cannot have this id")
        }
        try prepare(user)
        let layout = ApplicationLayout(data: "\(path)/\(id)")
        for directory in [layout.data, layout.files, layout.home, layout.temporary] {
            guard unsafe mkdir(directory, 0o700) == 0,
                unsafe !user.isOther || chown(directory, user.uid, user.gid) == 0
            else { throw failure("make", directory) }
        }
        return layout
    }

    func remove(_ layout: ApplicationLayout) { FileTree.remove(layout.data) }

    /// The first time: takes the directory, removes what another process left in it, and sees that applications' users
    /// can go down to it.
    private func prepare(_ user: ApplicationUser) throws(ApplicationFailure) {
        try lock.withLock { held throws(ApplicationFailure) in
            guard held == nil else { return }
            var partial = ""
            for part in path.split(separator: "/") {
                partial += "/\(part)"
                guard unsafe mkdir(partial, 0o711) == 0 || errno == EEXIST else { throw failure("make", partial) }
                try requireEntry(partial, user)
            }
            let descriptor = unsafe open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { throw failure("open", path + "/lock") }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                close(descriptor)
                throw ApplicationFailure(.build, "another process runs applications in \(path)")
            }
            for name in FileTree.names(in: path) where name != "lock" { FileTree.remove("\(path)/\(name)") }
            held = descriptor
        }
    }

    private func requireEntry(_ directory: String, _ user: ApplicationUser) throws(ApplicationFailure) {
        var status = stat()
        guard user.isOther, unsafe stat(directory, &status) == 0, status.st_mode & 0o001 == 0 else { return }
        throw ApplicationFailure(
            .build, "the users that run applications cannot enter \(directory): allow it with `chmod o+x \(directory)`")
    }

    private func failure(_ verb: String, _ path: String) -> ApplicationFailure {
        let reason = SystemError.text(errno)
        return ApplicationFailure(.build, "cannot \(verb) \(path): \(reason)")
    }
}
