import CLibpq
import Domain

/// The rows a statement returned, read in place from libpq's result.
///
/// `@unchecked`: libpq never changes a `PGresult` once it is handed out, and `deinit` alone frees it.
@safe final class Rows: @unchecked Sendable {
    private let result: OpaquePointer

    /// Takes ownership of the result.
    init(_ result: OpaquePointer) { unsafe self.result = result }

    deinit { unsafe PQclear(result) }

    var count: Int { Int(unsafe PQntuples(result)) }

    var isEmpty: Bool { count == 0 }

    /// How many rows the statement wrote.
    var affected: Int { Int(unsafe String(cString: PQcmdTuples(result))) ?? 0 }

    /// The column's text; nil for SQL null. `row` and `column` must exist.
    func text(_ row: Int, _ column: Int) -> String? {
        precondition(row < count && column < Int(unsafe PQnfields(result)), "no such row or column")
        guard unsafe PQgetisnull(result, Int32(row), Int32(column)) == 0,
            let value = unsafe PQgetvalue(result, Int32(row), Int32(column))
        else { return nil }
        let length = Int(unsafe PQgetlength(result, Int32(row), Int32(column)))
        return unsafe value.withMemoryRebound(to: UInt8.self, capacity: length) {
            unsafe String(decoding: UnsafeBufferPointer(start: $0, count: length), as: UTF8.self)
        }
    }

    func integer(_ row: Int, _ column: Int) -> Int64? { text(row, column).flatMap { Int64($0) } }
    func bool(_ row: Int, _ column: Int) -> Bool { text(row, column) == "t" }
    func uuid(_ row: Int, _ column: Int) -> UUIDv7? { text(row, column).flatMap { UUIDv7($0) } }
    func money(_ row: Int, _ column: Int) -> Money? { text(row, column).flatMap { Money(decimal: $0) } }

    /// Stored JSON may be nested deeper than what clients send: a plan holds their values some levels down.
    func json(_ row: Int, _ column: Int) -> JSON? {
        text(row, column).flatMap { try? JSON.parse($0, JSON.Reading(maximumDepth: 512)) }
    }

    /// A `bytea` in the server's hexadecimal form; nil for SQL null and for anything else.
    func bytes(_ row: Int, _ column: Int) -> [UInt8]? {
        guard let text = text(row, column), text.hasPrefix("\\x") else { return nil }
        let digits = text.utf8.dropFirst(2).map { UInt8(hexadecimalDigit: $0) }
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[index], let low = digits[index + 1] else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    /// A `bigint` of microseconds since 1970.
    func timestamp(_ row: Int, _ column: Int) -> Timestamp? {
        integer(row, column).map { Timestamp(microseconds: $0) }
    }
}

extension UInt8 {
    fileprivate init?(hexadecimalDigit digit: UInt8) {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self = digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self = digit - UInt8(ascii: "a") + 10
        default: return nil
        }
    }
}
