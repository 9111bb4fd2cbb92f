import Crypto
public import Domain
import Glibc

/// Files kept by the SHA-256 of their content in a directory, two levels deep: `ab/ab12…`.
///
/// A file appears under its name only when it is complete and durable; a crash leaves at most a file in `incoming`,
/// which nothing reads and a later start removes. Blocking calls run on two threads of its own.
public final class FileBlobStore: BlobStore {
    private let root: String
    private let threads: WorkerThreads<Void>

    /// - Parameter directory: made if it is missing.
    /// - Throws: `LedgerError` `unavailable` where it cannot be made or written, with the reason.
    public init(directory: String) throws(LedgerError) {
        root = directory
        do throws(DatabaseError) {
            threads = try WorkerThreads("blobs", threads: 2, limit: 1_000) {}
            try Self.makeDirectory(directory)
            try Self.makeDirectory(directory + "/incoming")
            Self.removeLeftovers(directory + "/incoming", before: SystemWallClock().now())
        } catch {
            throw error.ledgerError
        }
    }

    /// - Throws: `LedgerError`: `unavailable` where the disk refuses, `overloaded` where too many wait.
    public func put(_ bytes: [UInt8]) async throws -> String {
        let digest = SHA256.hash(data: bytes).hexadecimal
        let temporary = "\(root)/incoming/\(UUIDv7(at: SystemWallClock().now()))"
        do throws(DatabaseError) {
            try await threads.run { [self] _ in
                Result { () throws(DatabaseError) in try store(bytes, digest: digest, temporary: temporary) }
            }
        } catch {
            throw error.ledgerError
        }
        return digest
    }

    /// - Throws: `LedgerError`: `unavailable` where the file cannot be read or does not have its digest any more.
    public func get(_ digest: String) async throws -> [UInt8]? {
        // Also what keeps a path out of it.
        guard digest.utf8.count == 64, digest.utf8.allSatisfy({ Self.isHexadecimal($0) }) else { return nil }
        do throws(DatabaseError) {
            return try await threads.run { [self] _ in
                Result { () throws(DatabaseError) in try load(digest) }
            }
        } catch {
            throw error.ledgerError
        }
    }

    /// Ends the threads, once what was given is done.
    public func close() async { await threads.stop() }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte
    }

    private func folder(of digest: String) -> String { "\(root)/\(digest.prefix(2))" }

    private func store(_ bytes: [UInt8], digest: String, temporary: String) throws(DatabaseError) {
        let folder = folder(of: digest)
        let path = "\(folder)/\(digest)"
        // Whoever gave it its name may not have made the name durable yet.
        if unsafe access(path, F_OK) == 0 { return try Self.synchronize(folder) }
        try Self.makeDirectory(folder)
        do throws(DatabaseError) {
            try Self.write(bytes, to: temporary)
            guard unsafe rename(temporary, path) == 0 else { throw .system("rename", errno) }
        } catch {
            unsafe unlink(temporary)
            throw error
        }
        try Self.synchronize(folder)
    }

    private func load(_ digest: String) throws(DatabaseError) -> [UInt8]? {
        let descriptor = unsafe open("\(folder(of: digest))/\(digest)", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .system("open", errno)
        }
        defer { Glibc.close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system("read", errno) }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        guard SHA256.hash(data: bytes).hexadecimal == digest else {
            throw .aborted(LedgerError(.unavailable, "a stored file is damaged: its content has another digest"))
        }
        return bytes
    }
}
