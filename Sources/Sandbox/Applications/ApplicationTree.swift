import Glibc
import Processes

/// Writes files and directories below a directory of an application that does not run yet.
struct ApplicationTree {
    let root: String
    let owner: ApplicationUser
    private var made: Set<String> = []

    init(root: String, owner: ApplicationUser) {
        self.root = root
        self.owner = owner
    }

    /// Makes a directory and those above it that are missing. Nothing there is a link: nothing here makes any.
    mutating func makeDirectory(_ path: [String]) throws(ApplicationFailure) {
        var partial = root
        for part in path {
            partial += "/" + part
            guard !made.contains(partial) else { continue }
            guard unsafe mkdir(partial, 0o755) == 0 || errno == EEXIST else { throw failure(path) }
            if owner.isOther, unsafe chown(partial, owner.uid, owner.gid) != 0 { throw failure(path) }
            made.insert(partial)
        }
    }

    /// Makes a file that is not there yet.
    ///
    /// - Parameter read: gives so many bytes of its content.
    mutating func makeFile(
        _ path: [String], isExecutable: Bool, size: Int, _ read: (Int) throws(ApplicationFailure) -> [UInt8]
    ) throws(ApplicationFailure) {
        try makeDirectory(Array(path.dropLast()))
        let name = root + "/" + path.joined(separator: "/")
        let file = unsafe open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else {
            if errno == EEXIST { throw .archive("has \(path.joined(separator: "/")) twice") }
            throw failure(path)
        }
        defer { close(file) }
        var left = size
        while left > 0 {
            let bytes = try read(min(left, 65_536))
            guard unsafe write(file, bytes, bytes.count) == bytes.count else { throw failure(path) }
            left -= bytes.count
        }
        guard fchmod(file, isExecutable ? 0o755 : 0o644) == 0,
            !owner.isOther || fchown(file, owner.uid, owner.gid) == 0
        else { throw failure(path) }
    }

    private func failure(_ path: [String]) -> ApplicationFailure {
        let reason = SystemError.text(errno)
        return ApplicationFailure(.build, "\(path.joined(separator: "/")) could not be unpacked: \(reason)")
    }
}
