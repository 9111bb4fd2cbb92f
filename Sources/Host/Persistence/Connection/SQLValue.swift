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

    /// Appends the value's text; false for SQL null, which has none.
    func write(into bytes: inout [UInt8]) -> Bool {
        switch self {
        case .null: return false
        case .text(let text): bytes.append(contentsOf: text.utf8)
        case .integer(let value): bytes.append(contentsOf: String(value).utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .uuid(let id): bytes.append(contentsOf: id.description.utf8)
        case .timestamp(let time): bytes.append(contentsOf: time.exactDescription.utf8)
        case .money(let amount): bytes.append(contentsOf: amount.description.utf8)
        case .json(let value): value.write(into: &bytes)
        case .bytes(let raw): bytes.append(contentsOf: "\\x\(raw.hexadecimal)".utf8)
        case .duration(let duration): bytes.append(contentsOf: String(duration.milliseconds).utf8)
        }
        return true
    }
}

extension SQLValue {
    static func text(_ value: String?) -> SQLValue { value.map { .text($0) } ?? .null }
    static func integer(_ value: Int?) -> SQLValue { value.map { .integer(Int64($0)) } ?? .null }
    /// For `ANY ($1::uuid[])`.
    static func array(_ ids: [UUIDv7]) -> SQLValue { .text("{\(ids.map(\.description).joined(separator: ","))}") }
    static func count(_ value: Int) -> SQLValue { .integer(Int64(value)) }
}

/// A statement. A named one is prepared once a connection where the connection is the client's own; through a
/// transaction pooler every statement is sent unnamed.
struct Statement: Sendable {
    let name: String?
    let sql: String
    /// The same for many at once: each parameter is an array of what theirs are, and each row that it answers ends
    /// with the number of the one it belongs to, from 1.
    let batched: String?

    init(_ name: String?, _ sql: String, batched: String? = nil) {
        self.name = name
        self.sql = sql
        self.batched = batched
    }
}
