import CLibpq
import Domain

/// The rows a statement returned, or some of them, read in place from libpq's result.
struct Rows: Sendable {
    private let result: ServerResult
    private let range: Range<Int>

    /// Takes ownership of the result.
    init(_ result: OpaquePointer) {
        self.result = unsafe ServerResult(result)
        range = 0..<self.result.count
    }

    private init(_ result: ServerResult, _ range: Range<Int>) {
        self.result = result
        self.range = range
    }

    var count: Int { range.count }

    var isEmpty: Bool { range.isEmpty }

    /// The rows of each of the statements that were carried out as one: their last column numbers them from 1. At
    /// most one row belongs to each.
    func divided(among statements: Int) -> [Rows] {
        var divided = Array(repeating: Rows(result, 0..<0), count: statements)
        for row in range {
            guard let number = result.text(row, result.columns - 1).flatMap({ Int($0) }), 1...statements ~= number
            else { continue }
            divided[number - 1] = Rows(result, row..<row + 1)
        }
        return divided
    }

    /// How many rows the statement wrote.
    var affected: Int { result.affected }

    /// The column's text; nil for SQL null. `row` and `column` must exist.
    func text(_ row: Int, _ column: Int) -> String? {
        precondition(0..<count ~= row, "no such row")
        return result.text(range.lowerBound + row, column)
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

/// libpq's result.
///
/// `@unchecked`: libpq never changes a `PGresult` once it is handed out, and `deinit` alone frees it.
@safe private final class ServerResult: @unchecked Sendable {
    private let result: OpaquePointer

    init(_ result: OpaquePointer) { unsafe self.result = result }

    deinit { unsafe PQclear(result) }

    var count: Int { Int(unsafe PQntuples(result)) }
    var columns: Int { Int(unsafe PQnfields(result)) }
    var affected: Int { Int(unsafe String(cString: PQcmdTuples(result))) ?? 0 }

    func text(_ row: Int, _ column: Int) -> String? {
        precondition(0..<count ~= row && 0..<columns ~= column, "no such row or column")
        guard unsafe PQgetisnull(result, Int32(row), Int32(column)) == 0,
            let value = unsafe PQgetvalue(result, Int32(row), Int32(column))
        else { return nil }
        let length = Int(unsafe PQgetlength(result, Int32(row), Int32(column)))
        return unsafe value.withMemoryRebound(to: UInt8.self, capacity: length) {
            unsafe String(decoding: UnsafeBufferPointer(start: $0, count: length), as: UTF8.self)
        }
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
