/// A JSON value (RFC 8259) that keeps what other models lose: the order of an object's members and the exact
/// digits of a number. Money is read from such digits, never from a floating-point value.
public enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    /// A number without fraction or exponent that fits 64 bits.
    case integer(Int64)
    /// Any other number, as it was written.
    case decimal(String)
    case string(String)
    case array([JSON])
    case object(JSONObject)
}

extension JSON {
    public subscript(key: String) -> JSON? {
        guard case .object(let object) = self else { return nil }
        return object[key]
    }

    public var stringValue: String? { if case .string(let value) = self { value } else { nil } }
    public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var arrayValue: [JSON]? { if case .array(let value) = self { value } else { nil } }
    public var objectValue: JSONObject? { if case .object(let value) = self { value } else { nil } }
    public var integerValue: Int64? { if case .integer(let value) = self { value } else { nil } }
    public var isNull: Bool { self == .null }

    /// The value as a floating-point number, for comparisons that are not about money.
    public var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .decimal(let digits): Double(digits)
        default: nil
        }
    }

    /// The name of the value's type as JSON Schema spells it, for messages.
    public var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .decimal: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

/// The members of a JSON object in the order in which they were written.
public struct JSONObject: Sendable, Hashable {
    public private(set) var members: [Member] = []
    /// Members by name, for objects with more than `linearMaximum`; smaller ones are searched.
    private var positions: [String: Int] = [:]
    private static let linearMaximum = 12

    public struct Member: Sendable, Hashable {
        public let key: String
        public internal(set) var value: JSON
    }

    public init() {}

    public subscript(key: String) -> JSON? {
        get { position(of: key).map { members[$0].value } }
        set {
            switch (position(of: key), newValue) {
            case (let position?, let value?): members[position].value = value
            case (let position?, nil):
                members.remove(at: position)
                index()
            case (nil, let value?):
                members.append(Member(key: key, value: value))
                if members.count > Self.linearMaximum + 1 {
                    positions[key] = members.count - 1
                } else {
                    index()
                }
            case (nil, nil): break
            }
        }
    }

    private func position(of key: String) -> Int? {
        members.count > Self.linearMaximum ? positions[key] : members.firstIndex { $0.key == key }
    }

    private mutating func index() {
        positions = [:]
        guard members.count > Self.linearMaximum else { return }
        for (position, member) in members.enumerated() { positions[member.key] = position }
    }

    public var keys: [String] { members.map(\.key) }
    public var count: Int { members.count }
    public var isEmpty: Bool { members.isEmpty }

    /// Two objects are equal when they have the same members, in any order (RFC 8259, section 4).
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.members.allSatisfy { right[$0.key] == $0.value }
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        hasher.combine(members.reduce(0) { $0 ^ $1.key.hashValue })
    }
}

// No nil literal: `condition ? json : nil` would silently mean JSON's null where an absent value is meant.
extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSON)...) {
        var object = JSONObject()
        for (key, value) in elements { object[key] = value }
        self = .object(object)
    }
}
