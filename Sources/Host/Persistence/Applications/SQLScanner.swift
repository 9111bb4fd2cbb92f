/// Finds the statements of an SQL text as PostgreSQL's own tools do: at semicolons outside quotes, comments,
/// parentheses and the bodies of SQL functions.
struct SQLScanner {
    struct Statement {
        /// From its first word up to its semicolon, which is not part of it.
        let range: Range<Int>
        /// Its first words, in capitals.
        let words: [String]
    }

    private static let keptWords = 3

    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next statement that has any word; nil at the end.
    mutating func next() -> Statement? {
        var words: [String] = []
        var start: Int?
        var last = ""
        // Depth in parentheses, and in BEGIN ATOMIC … END with the CASE … END inside.
        var (parentheses, blocks) = (0, 0)
        while index < bytes.count {
            if skipBlank() { continue }
            let byte = bytes[index]
            if byte == UInt8(ascii: ";"), parentheses == 0, blocks == 0 {
                defer { index += 1 }
                if let start { return Statement(range: start..<index, words: words) }
                continue
            }
            start = start ?? index
            if skipQuoted() { continue }
            guard Self.isWord(byte) else {
                if byte == UInt8(ascii: "(") { parentheses += 1 }
                if byte == UInt8(ascii: ")") { parentheses = max(0, parentheses - 1) }
                index += 1
                continue
            }
            let word = readWord()
            if words.count < Self.keptWords { words.append(word) }
            switch word {
            case "ATOMIC" where last == "BEGIN" && words.first == "CREATE": blocks = 1
            case "CASE" where blocks > 0: blocks += 1
            case "END" where blocks > 0: blocks -= 1
            default: break
            }
            last = word
        }
        return start.map { Statement(range: $0..<bytes.count, words: words) }
    }

    private func byte(_ offset: Int) -> UInt8? {
        bytes.indices.contains(index + offset) ? bytes[index + offset] : nil
    }

    /// Letters, digits, underscore and dollar, and all that is not ASCII.
    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }

    private mutating func readWord() -> String {
        let start = index
        while index < bytes.count, Self.isWord(bytes[index]) || bytes[index] == UInt8(ascii: "$") { index += 1 }
        return String(decoding: bytes[start..<index], as: UTF8.self).uppercased()
    }
}

extension SQLScanner {
    /// Passes white space and comments, which nest.
    private mutating func skipBlank() -> Bool {
        switch (bytes[index], byte(1)) {
        case (9...13, _), (32, _):
            index += 1
        case (UInt8(ascii: "-"), UInt8(ascii: "-")):
            while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { index += 1 }
        case (UInt8(ascii: "/"), UInt8(ascii: "*")):
            var depth = 0
            repeat {
                switch (bytes[index], byte(1)) {
                case (UInt8(ascii: "/"), UInt8(ascii: "*")):
                    depth += 1
                    index += 2
                case (UInt8(ascii: "*"), UInt8(ascii: "/")):
                    depth -= 1
                    index += 2
                default: index += 1
                }
            } while depth > 0 && index < bytes.count
        default: return false
        }
        return true
    }

    /// Passes `'text'`, `E'te\'xt'`, `"name"` and `$tag$text$tag$`.
    private mutating func skipQuoted() -> Bool {
        switch bytes[index] {
        case UInt8(ascii: "'"): skip(to: UInt8(ascii: "'"), escapes: false)
        case UInt8(ascii: "\""): skip(to: UInt8(ascii: "\""), escapes: false)
        case UInt8(ascii: "e"), UInt8(ascii: "E"):
            guard byte(1) == UInt8(ascii: "'") else { return false }
            index += 1
            skip(to: UInt8(ascii: "'"), escapes: true)
        case UInt8(ascii: "$"): return skipDollarQuoted()
        default: return false
        }
        return true
    }

    /// A doubled quote ends one text and begins the next, which comes to the same.
    private mutating func skip(to quote: UInt8, escapes: Bool) {
        index += 1
        while index < bytes.count, bytes[index] != quote {
            index += escapes && bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        index = min(index + 1, bytes.count)
    }

    private mutating func skipDollarQuoted() -> Bool {
        var end = index + 1
        while end < bytes.count, Self.isWord(bytes[end]) { end += 1 }
        guard end < bytes.count, bytes[end] == UInt8(ascii: "$"),
            end == index + 1 || !(UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[index + 1])
        else { return false }
        let tag = bytes[index...end]
        index = end + 1
        while index < bytes.count, !bytes[index...].starts(with: tag) { index += 1 }
        index = min(index + tag.count, bytes.count)
        return true
    }
}
