import Crypto
import CryptoExtras
import Dispatch
import Synchronization

/// More passwords wait to be hashed than may wait: the client should come again.
public struct PasswordHasherBusy: Error, Sendable {}

/// Hashes passwords with scrypt (RFC 7914) on a thread of its own, one at a time, so that neither the cooperative
/// pool nor memory suffers from many at once.
///
/// A stored hash carries its parameters and salt, in the PHC string format:
/// `$scrypt$ln=15,r=8,p=3$SALT$HASH`.
public final class PasswordHasher: Sendable {
    /// What one hash costs.
    public struct Cost: Sendable, Hashable {
        /// Base-2 logarithm of scrypt's N: memory is 2^`logarithm` × 128 × `blockSize` bytes.
        public let logarithm: Int
        public let blockSize: Int
        public let parallelism: Int

        public init(logarithm: Int, blockSize: Int, parallelism: Int) {
            self.logarithm = logarithm
            self.blockSize = blockSize
            self.parallelism = parallelism
        }

        /// 32 MiB and three passes, one of the settings of equal strength that OWASP recommends.
        public static let recommended = Cost(logarithm: 15, blockSize: 8, parallelism: 3)
    }

    private let cost: Cost
    private let maximumWaiting: Int
    private let queue = DispatchQueue(label: "aibackend.password-hasher")
    private let waiting = Mutex(0)

    /// - Parameter maximumWaiting: Hashes waiting or under way beyond which `PasswordHasherBusy` is thrown.
    public init(cost: Cost = .recommended, maximumWaiting: Int = 16) {
        self.cost = cost
        self.maximumWaiting = maximumWaiting
    }

    /// The string to store, with a new salt.
    public func hash(_ password: String) async throws -> String {
        let cost = cost
        return try await run {
            let salt = APICredentials.randomBytes(16)
            let hash = try Self.derive(password, salt: salt, cost: cost, count: 32)
            let parameters = "ln=\(cost.logarithm),r=\(cost.blockSize),p=\(cost.parallelism)"
            return "$scrypt$\(parameters)$\(Base64.encode(salt))$\(Base64.encode(hash))"
        }
    }

    /// Whether the password is the one behind a stored string; false too for a string this hasher did not write.
    public func verify(_ password: String, against stored: String) async throws -> Bool {
        guard let (cost, salt, hash) = Self.parse(stored) else { return false }
        return try await run {
            let candidate = try Self.derive(password, salt: salt, cost: cost, count: hash.count)
            // Compares every byte, so that the time taken tells nothing.
            return zip(candidate, hash).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
        }
    }

    private func run<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        let isAdmitted = waiting.withLock { waiting in
            guard waiting < maximumWaiting else { return false }
            waiting += 1
            return true
        }
        guard isAdmitted else { throw PasswordHasherBusy() }
        defer { waiting.withLock { $0 -= 1 } }
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Swift.Result(catching: work)) }
        }
    }

    private static func derive(_ password: String, salt: [UInt8], cost: Cost, count: Int) throws -> [UInt8] {
        let key = try KDF.Scrypt.deriveKey(
            from: Array(password.utf8), salt: salt, outputByteCount: count, rounds: 1 << cost.logarithm,
            blockSize: cost.blockSize, parallelism: cost.parallelism)
        return unsafe key.withUnsafeBytes { bytes in unsafe Array(bytes) }
    }

    private static func parse(_ stored: String) -> (Cost, salt: [UInt8], hash: [UInt8])? {
        let parts = stored.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt" else { return nil }
        let names = ["ln=", "r=", "p="]
        let settings = parts[2].split(separator: ",")
        guard settings.count == names.count else { return nil }
        let values = zip(names, settings).compactMap { name, setting in
            setting.hasPrefix(name) ? Int(setting.dropFirst(name.count)) : nil
        }
        // A stored string never makes the host spend more than 1 GiB or 16 passes.
        guard values.count == names.count, (1...20).contains(values[0]), (1...8).contains(values[1]),
            (1...16).contains(values[2]), let salt = Base64.decode(parts[3]), let hash = Base64.decode(parts[4]),
            hash.count >= 16
        else { return nil }
        return (Cost(logarithm: values[0], blockSize: values[1], parallelism: values[2]), salt, hash)
    }
}
