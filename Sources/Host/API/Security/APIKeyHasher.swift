import Crypto

/// Hashes API keys for storage and look-up: HMAC-SHA-256 under the installation's salt.
///
/// A key is 256 random bits, so one keyed hash is as safe as many rounds and costs a microsecond. Whoever reads the
/// database alone can neither use a stored hash nor test a guess.
public struct APIKeyHasher: Sendable {
    private let salt: SymmetricKey

    /// - Parameter salt: The installation's `API_KEY_SALT`. Changing it invalidates every key.
    public init(salt: [UInt8]) { self.salt = SymmetricKey(data: salt) }

    /// 64 lower-case hexadecimal digits.
    public func hash(_ key: String) -> String {
        let digits = Self.digits
        var key = key
        let code = key.withUTF8 { bytes in
            unsafe HMAC<SHA256>.authenticationCode(for: UnsafeRawBufferPointer(bytes), using: salt)
        }
        return unsafe String(unsafeUninitializedCapacity: 64) { output in
            var position = 0
            for byte in code {
                unsafe output[position] = digits[Int(byte >> 4)]
                unsafe output[position + 1] = digits[Int(byte & 15)]
                position += 2
            }
            return position
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)
}
