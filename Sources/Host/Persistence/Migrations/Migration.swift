import Crypto

/// One numbered change of the schema. Once released it never changes; the next change is a new migration.
struct Migration: Sendable {
    /// From 1, without a gap.
    let number: Int
    let name: String
    let sql: String

    /// SHA-256 of the SQL, in hexadecimal digits.
    var checksum: String { SHA256.hash(data: Array(sql.utf8)).hexadecimal }

    /// All of them, in order.
    static let all: [Migration] = [.initialSchema, .runningApplications, .turns, .lostHosts]
}

extension Sequence<UInt8> {
    /// Two lower-case hexadecimal digits a byte.
    var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
