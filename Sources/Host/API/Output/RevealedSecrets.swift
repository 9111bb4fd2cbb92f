import Domain
import Glibc

/// An execution's text with its secrets in it, for its owner alone.
enum RevealedSecrets {
    private static let mention = Array("\"$secret\"".utf8)

    /// Whether a text may refer to secrets. Nearly none does: those that do not are answered without being read.
    static func areMentioned(in text: inout String) -> Bool {
        text.withUTF8 { bytes in
            var start = 0
            while start < bytes.count, let base = bytes.baseAddress {
                guard let found = unsafe memchr(base + start, Int32(UInt8(ascii: "$")), bytes.count - start) else {
                    return false
                }
                let dollar = unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
                if dollar > 0, unsafe bytes[(dollar - 1)...].starts(with: mention) { return true }
                start = dollar + 1
            }
            return false
        }
    }

    /// Puts the value in the place of each reference. One that the vault does not know stays as it is.
    static func reveal(
        _ text: String, of execution: UUIDv7, from vault: any SecretVault
    ) async throws -> String {
        let json = try JSON.parse(text)
        let references = json.secretReferences
        guard !references.isEmpty else { return text }
        let values = try await vault.values(references, of: execution)
        return json.replacingSecrets { reference in values[reference].map { .string($0) } ?? reference.json }.text
    }
}
