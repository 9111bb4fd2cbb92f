import Domain

/// The SQL of a schema, fit to run in the installer's transaction.
///
/// Scripts that people and models write often open and end a transaction of their own, which would end the
/// installer's half-way: `BEGIN` and `COMMIT` outside a function become blanks, so that lines stay where they are.
/// What cannot run in one transaction, or speaks another protocol than SQL, is refused.
struct SchemaScript {
    let sql: String

    /// - Throws: with the line of the statement, not retryable.
    init(_ text: String) throws(ApplicationDatabaseError) {
        guard !text.utf8.contains(0) else {
            throw ApplicationDatabaseError("the schema contains a NUL character", isRetryable: false)
        }
        var bytes = Array(text.utf8)
        var scanner = SQLScanner(bytes)
        while let statement = scanner.next() {
            switch Self.role(of: statement.words) {
            case .plain: break
            case .boundary:
                for index in statement.range where bytes[index] != UInt8(ascii: "\n") { bytes[index] = 32 }
            case .impossible:
                let line = 1 + bytes[..<statement.range.lowerBound].count { $0 == UInt8(ascii: "\n") }
                let words = statement.words.prefix(2).joined(separator: " ")
                throw ApplicationDatabaseError(
                    "the schema could not be installed: line \(line): \(words) cannot be part of a schema, which is "
                        + "installed in one transaction", isRetryable: false)
            }
        }
        sql = String(decoding: bytes, as: UTF8.self)
    }

    private enum Role { case plain, boundary, impossible }

    private static func role(of words: [String]) -> Role {
        let second = words.dropFirst().first
        return switch words.first {
        case "BEGIN", "END": .boundary
        case "START": second == "TRANSACTION" ? .boundary : .plain
        case "COMMIT": second == "PREPARED" ? .impossible : .boundary
        case "ROLLBACK": second == "TO" ? .plain : .impossible
        case "PREPARE": second == "TRANSACTION" ? .impossible : .plain
        case "ABORT", "COPY": .impossible
        default: .plain
        }
    }
}
