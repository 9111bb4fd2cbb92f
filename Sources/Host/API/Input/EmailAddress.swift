/// An email address as accounts use it: the part of RFC 5321 that real mailboxes have, in lower case, so that one
/// mailbox has one account.
struct EmailAddress: Sendable, Hashable {
    let text: String

    /// nil for what is not an address. An internationalised domain must be given in its ASCII form.
    init?(_ input: String) {
        guard input.utf8.count <= 255 else { return nil }
        let parts = input.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, Self.isLocalPart(parts[0]), Self.isDomain(parts[1]) else { return nil }
        text = input.lowercased()
    }

    private static func isLocalPart(_ part: Substring) -> Bool {
        let words = part.split(separator: ".", omittingEmptySubsequences: false)
        return part.utf8.count <= 64
            && words.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { isAlphanumeric($0) || symbols.contains($0) } }
    }

    private static func isDomain(_ part: Substring) -> Bool {
        let labels = part.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count >= 2, let last = labels.last, !last.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else {
            return false
        }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
        }
    }

    private static let symbols = Array("!#$%&'*+/=?^_`{|}~-".utf8)

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        0x30...0x39 ~= byte || 0x41...0x5A ~= byte || 0x61...0x7A ~= byte
    }
}
