import Glibc
import Processes

/// The few calls on files that a private cluster needs.
enum FileSystem {
    struct Status {
        let owner: uid_t
        let group: gid_t
        let permissions: mode_t
        let isDirectory: Bool
    }

    /// What a name stands for itself, without following a symbolic link; nil where there is nothing.
    static func status(_ path: String) -> Status? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return nil }
        return Status(
            owner: status.st_uid, group: status.st_gid, permissions: status.st_mode & 0o7777,
            isDirectory: status.st_mode & S_IFMT == S_IFDIR)
    }

    /// The first 64 KiB, or the last, as text; nil where there is no such file.
    static func text(_ path: String, tail: Bool = false) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        if tail { lseek(descriptor, max(0, lseek(descriptor, 0, SEEK_END) - bytes.count), SEEK_SET) }
        let count = unsafe read(descriptor, &bytes, bytes.count)
        return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
    }

    static func linkTarget(_ path: String) -> String? {
        var bytes = [CChar](repeating: 0, count: 4_096)
        let count = unsafe readlink(path, &bytes, bytes.count)
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Replaces a file's content.
    static func write(_ text: String, to path: String, mode: mode_t, owner: ClusterAccount) throws(ClusterError) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw failure("write", path) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard unsafe Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fchmod(descriptor, mode) == 0,
            fchown(descriptor, owner.uid, owner.gid) == 0
        else { throw failure("write", path) }
    }

    /// Makes a directory and those above it that are missing.
    static func makeDirectories(_ path: String, mode: mode_t) throws(ClusterError) {
        var partial = path.hasPrefix("/") ? "" : "."
        for component in path.split(separator: "/") {
            partial += "/\(component)"
            guard unsafe mkdir(partial, mode) == 0 || errno == EEXIST else { throw failure("make", partial) }
        }
    }

    static func canonicalPath(_ path: String) throws(ClusterError) -> String {
        guard let text = unsafe realpath(path, nil) else { throw failure("find", path) }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }

    static func failure(_ verb: String, _ path: String) -> ClusterError {
        let reason = SystemError.text(errno)
        return ClusterError(.directory, "cannot \(verb) \(path): \(reason)")
    }
}
