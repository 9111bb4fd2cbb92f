import Domain

/// The name of an application's database and role: nothing in it needs quoting, so that no statement made of it can
/// become another one.
struct ApplicationDatabaseName: Hashable {
    /// PostgreSQL cuts off longer ones in silence.
    private static let limit = 63

    let text: String

    /// - Throws: for anything but 1 to 63 of `a-z`, `0-9` and `_`, beginning with a letter. Not retryable.
    init(_ text: String) throws(ApplicationDatabaseError) {
        let isWellFormed =
            (1...Self.limit).contains(text.utf8.count)
            && text.utf8.first.map { UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 } == true
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
        guard isWellFormed else {
            throw ApplicationDatabaseError(
                "an application's database cannot be named so: 1 to \(Self.limit) of a-z, 0-9 and _ are allowed, "
                    + "beginning with a letter", isRetryable: false)
        }
        // The server keeps these to itself.
        guard !text.hasPrefix("pg_") else {
            throw ApplicationDatabaseError(
                "an application's database cannot be named \(text): names that begin with pg_ are PostgreSQL's own",
                isRetryable: false)
        }
        self.text = text
    }

    /// As an SQL identifier.
    var quoted: String { "\"\(text)\"" }
}
