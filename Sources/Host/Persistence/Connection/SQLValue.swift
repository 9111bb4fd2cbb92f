import Domain

/// A parameter of a statement. All travel as text; the statement casts them (`$1::uuid`).
enum SQLValue: Sendable {
    case null
    case text(String)
    case integer(Int64)
    case bool(Bool)
    case uuid(UUIDv7)
    case timestamp(Timestamp)
    /// Exact: a decimal number of dollars with up to twelve digits after the point.
    case money(Money)
    case json(JSON)
    /// For `$1::bytea`.
    case bytes([UInt8])
    /// Milliseconds, for `$1::bigint * interval '1 millisecond'`.
    case duration(Duration)

    var wire: String? {
        switch self {
        case .null: nil
        case .text(let text): text
        case .integer(let value): String(value)
        case .bool(let value): value ? "true" : "false"
        case .uuid(let id): id.description
        case .timestamp(let time): time.postgresText
        case .money(let amount): amount.description
        case .json(let value): value.text
        case .bytes(let bytes): "\\x\(bytes.hexadecimal)"
        case .duration(let duration): String(duration.milliseconds)
        }
    }
}

extension SQLValue {
    static func text(_ value: String?) -> SQLValue { value.map { .text($0) } ?? .null }
    static func integer(_ value: Int?) -> SQLValue { value.map { .integer(Int64($0)) } ?? .null }
    /// For `ANY ($1::uuid[])`.
    static func array(_ ids: [UUIDv7]) -> SQLValue { .text("{\(ids.map(\.description).joined(separator: ","))}") }
    static func count(_ value: Int) -> SQLValue { .integer(Int64(value)) }
}

extension Timestamp {
    /// RFC 3339 with all six digits: `description` ends at milliseconds.
    var postgresText: String {
        let rest = (microseconds % 1_000 + 1_000) % 1_000
        let digits = String(1_000 + rest).dropFirst()
        return "\(description.dropLast())\(digits)Z"
    }
}

/// A statement. A named one is prepared once a connection where the connection is the client's own; through a
/// transaction pooler every statement is sent unnamed.
struct Statement: Sendable {
    let name: String?
    let sql: String

    init(_ name: String?, _ sql: String) {
        self.name = name
        self.sql = sql
    }
}
