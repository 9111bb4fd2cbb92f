import Domain
import Files
import Glibc

extension FileBlobStore {
    /// Makes a directory, and makes its name durable; one that exists is fine.
    static func makeDirectory(_ path: String) throws(DatabaseError) {
        if unsafe mkdir(path, 0o700) == 0 {
            try synchronize(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
        } else if errno != EEXIST {
            throw .system("mkdir \(path)", errno)
        }
    }

    /// Removes what crashed hosts left. A host that shares the directory may be writing: what is younger than an hour
    /// stays.
    static func removeLeftovers(_ incoming: String, before now: Timestamp) {
        for name in FileTree.names(in: incoming) {
            guard let id = UUIDv7(name), now.microseconds - id.timestamp.microseconds > 3_600_000_000 else { continue }
            unsafe unlink("\(incoming)/\(name)")
        }
    }

    /// Writes a new file, and returns when its content is durable.
    static func write(_ bytes: [UInt8], to path: String) throws(DatabaseError) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("open", errno) }
        defer { Glibc.close(descriptor) }
        var offset = 0
        while offset < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                // The offset is below the count, so there is a base address.
                unsafe Glibc.write(descriptor, buffer.baseAddress?.advanced(by: offset), bytes.count - offset)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system("write", errno) }
            offset += count
        }
        guard fsync(descriptor) == 0 else { throw .system("fsync", errno) }
    }

    /// Makes the names in a directory durable.
    static func synchronize(_ directory: String) throws(DatabaseError) {
        let descriptor = unsafe open(directory.isEmpty ? "." : directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open", errno) }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system("fsync", errno) }
    }
}
