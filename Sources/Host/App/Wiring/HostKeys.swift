import Domain

extension Storage {
    /// The key under which secrets of executions are kept, and from which webhooks' signing keys are derived: 32 bytes.
    func encryptionKey() throws -> [UInt8] {
        let text: String
        if let given = settings.encryptionKey {
            text = given
        } else if isPrivate, let data {
            text = try data.encryptionKey()
        } else {
            throw StartFailure(
                "ENCRYPTION_KEY is not set: hosts that share a database need the same key for secrets; "
                    + "make one with `openssl rand -hex 32` and keep it")
        }
        guard let key = Self.bytes(text), key.count == 32 else {
            throw StartFailure(
                "the encryption key is not 64 hexadecimal digits; make one with `openssl rand -hex 32` and keep it")
        }
        return key
    }

    private static func bytes(_ text: String) -> [UInt8]? {
        let digits = text.compactMap(\.hexDigitValue)
        guard digits.count == text.count, digits.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
    }
}
