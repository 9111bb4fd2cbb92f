/// Why a text is not acceptable JSON, and where.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    public let reason: String
    /// Offset of the offending byte from the start of the text.
    public let offset: Int
    /// Line and column, both from 1; the column counts bytes.
    public let line: Int
    public let column: Int

    public var description: String { "invalid JSON at line \(line), column \(column): \(reason)" }
}
