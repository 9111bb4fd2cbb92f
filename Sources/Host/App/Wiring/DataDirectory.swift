import Domain
import Foundation

/// A host's own folder: its identity, its API key salt, its private database and its blobs. One process at a time
/// holds it, by a lock that the kernel drops when the process dies, however it dies.
final class DataDirectory: Sendable {
    let path: String
    /// The worker identity of the process that held the folder before, if one did: that process is gone.
    let previousWorker: UUIDv7?
    private let lock: CInt

    /// Creates the folder where it is missing and takes its lock.
    init(_ path: String) throws(StartFailure) {
        let path = File.absolute(path)
        guard File.createDirectories(path) else {
            throw StartFailure("the data directory \(path) cannot be created; choose another with --data-dir")
        }
        let lock = unsafe open(path + "/host.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw StartFailure("the data directory \(path) is not writable") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw StartFailure(
                "another aibackend uses the data directory \(path); stop it, or choose another with --data-dir")
        }
        self.path = path
        self.lock = lock
        previousWorker = File.read(path + "/worker.id", limit: 64)
            .flatMap { UUIDv7(String(decoding: $0, as: UTF8.self)) }
    }

    deinit { close(lock) }

    /// Records who works in this folder now.
    func record(worker: UUIDv7) throws(StartFailure) {
        try write(worker.description, "worker.id")
    }

    /// The salt made for this folder on first use.
    func apiKeySalt() throws(StartFailure) -> String { try made("api_key_salt") }

    /// The encryption key made for this folder on first use: 64 hexadecimal digits.
    func encryptionKey() throws(StartFailure) -> String { try made("encryption_key") }

    private func made(_ name: String) throws(StartFailure) -> String {
        if let bytes = File.read(path + "/" + name, limit: 1_024), bytes.count >= 32 {
            return String(decoding: bytes, as: UTF8.self)
        }
        var random = SystemRandomNumberGenerator()
        let digits = (0..<64).map { _ in String(random.next(upperBound: 16 as UInt8), radix: 16) }.joined()
        try write(digits, name)
        return digits
    }

    private func write(_ text: String, _ name: String) throws(StartFailure) {
        guard File.writePrivately(text, to: path + "/" + name) else {
            throw StartFailure("\(path)/\(name) cannot be written")
        }
    }
}
