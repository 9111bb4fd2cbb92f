import PluginKit

/// A value of an answer, with the way to it. What is not as the schema says is reported by its place and type, never by
/// its value.
struct Answer: Sendable, Hashable {
    let value: JSON
    let path: String

    /// A member; null where there is none.
    subscript(name: String) -> Answer { Answer(value: value[name] ?? .null, path: "\(path).\(name)") }

    var isNull: Bool { value.isNull }
    /// The text, or nil where it is none or empty.
    var optionalText: String? { value.stringValue.flatMap { $0.isEmpty ? nil : $0 } }

    func text() throws(PluginError) -> String {
        guard let text = optionalText else { throw malformed("a string") }
        return text
    }

    /// An id that may stand in a URL's path.
    func identifier() throws(PluginError) -> String {
        guard let text = optionalText, text.utf8.count <= 128, text.utf8.allSatisfy(Self.isPlain) else {
            throw malformed("an id")
        }
        return text
    }

    func bool() throws(PluginError) -> Bool {
        guard let bool = value.boolValue else { throw malformed("true or false") }
        return bool
    }

    func integer(in range: ClosedRange<Int64>) throws(PluginError) -> Int64 {
        guard let integer = value.integerValue, range.contains(integer) else {
            throw malformed("a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }

    func list() throws(PluginError) -> [Answer] {
        guard let list = value.arrayValue else { throw malformed("a list") }
        return list.enumerated().map { Answer(value: $1, path: "\(path)[\($0)]") }
    }

    /// The nodes of a Relay connection.
    func nodes() throws(PluginError) -> [Answer] { try self["edges"].list().map { $0["node"] } }

    /// Those of the list, or of the connection's nodes, that are not deleted.
    static func living(_ list: [Answer]) -> [Answer] { list.filter { $0["deletedAt"].isNull } }

    func malformed(_ expected: String) -> PluginError {
        PluginError(.upstream, "Railway's answer is damaged: \(path) is \(value.typeName) and not \(expected)")
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
}
