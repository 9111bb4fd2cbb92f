/// A new API key with its secret: given to their owner once, kept nowhere but as hashes.
public struct APICredentials: Sendable {
    /// `aib_` and 256 random bits in base64url: 47 characters.
    public let key: String
    /// 512 random bits in base64url: 86 characters.
    public let secret: String

    /// Draws both from the system's cryptographic generator.
    public static func generate() -> APICredentials {
        APICredentials(
            key: keyPrefix + Base64.encodeURLSafe(randomBytes(32)), secret: Base64.encodeURLSafe(randomBytes(64)))
    }

    private static let keyPrefix = "aib_"

    /// Whether a text can be a key at all. What is not needs no look-up.
    static func isWellFormed(key: String) -> Bool {
        guard key.utf8.count == 47, key.hasPrefix(keyPrefix) else { return false }
        return Base64.decodeURLSafe(key.dropFirst(keyPrefix.count))?.count == 32
    }

    static func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}

extension APICredentials: CustomStringConvertible, CustomReflectable {
    /// Says nothing of either, so that neither reaches a log by accident.
    public var description: String { "APICredentials" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
