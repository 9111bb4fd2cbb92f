/// One word of a document.
struct GraphQLToken: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        /// `{ } ( ) [ ] : = ! | & $ @` and `...`
        case punctuator
        case name
        case integer
        case float
        case string
        case end
    }

    let kind: Kind
    /// As written; for a string its value.
    let text: String
    let location: GraphQLLocation
    /// Behind the last byte.
    var end = 0
}

/// Cuts a document into tokens: https://spec.graphql.org/October2021/#sec-Language.Source-Text
struct GraphQLLexer {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private var lineStart = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    private var here: GraphQLLocation {
        // Continuation bytes are no columns of their own.
        let column = bytes[lineStart..<min(position, bytes.count)].count { $0 & 0xC0 != 0x80 }
        return GraphQLLocation(line: line, column: column + 1)
    }

    private func peek(_ distance: Int = 0) -> UInt8? {
        position + distance < bytes.count ? bytes[position + distance] : nil
    }

    /// What was written from one offset to another.
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// The next token and where it begins.
    mutating func next() throws(GraphQLError) -> (token: GraphQLToken, start: Int) {
        skipIgnored()
        let start = position
        let location = here
        guard let byte = peek() else {
            return (GraphQLToken(kind: .end, text: "<EOF>", location: location, end: start), start)
        }
        var token: GraphQLToken
        switch byte {
        case UInt8(ascii: "."):
            guard peek(1) == byte, peek(2) == byte else { throw unexpected() }
            position += 3
            token = GraphQLToken(kind: .punctuator, text: "...", location: location)
        case UInt8(ascii: "\""):
            let isBlock = peek(1) == byte && peek(2) == byte
            let value = isBlock ? try blockString() : try string()
            token = GraphQLToken(kind: .string, text: value, location: location)
        case let byte where Self.punctuators.contains(byte):
            position += 1
            token = GraphQLToken(kind: .punctuator, text: text(start..<position), location: location)
        case let byte where byte.isGraphQLNameStart:
            while let byte = peek(), byte.isGraphQLNameStart || byte.isDigit { position += 1 }
            token = GraphQLToken(kind: .name, text: text(start..<position), location: location)
        case let byte where byte.isDigit || byte == UInt8(ascii: "-"):
            let isFloat = try number()
            token = GraphQLToken(kind: isFloat ? .float : .integer, text: text(start..<position), location: location)
        default: throw unexpected()
        }
        token.end = position
        return (token, start)
    }

    private static let punctuators = Set("!$&()=:@[]{}|".utf8)

    private mutating func skipIgnored() {
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: ","): position += 1
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): newline()
            case UInt8(ascii: "#"):
                while let byte = peek(), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") { position += 1 }
            case 0xEF where peek(1) == 0xBB && peek(2) == 0xBF: position += 3
            default: return
            }
        }
    }

    private mutating func newline() {
        if peek() == UInt8(ascii: "\r"), peek(1) == UInt8(ascii: "\n") { position += 1 }
        position += 1
        line += 1
        lineStart = position
    }

    /// - Returns: whether it has a fraction or an exponent.
    private mutating func number() throws(GraphQLError) -> Bool {
        var isFloat = false
        if peek() == UInt8(ascii: "-") { position += 1 }
        if peek() == UInt8(ascii: "0") {
            position += 1
            if peek()?.isDigit == true { throw unexpected() }
        } else {
            try digits()
        }
        if peek() == UInt8(ascii: ".") {
            isFloat = true
            position += 1
            try digits()
        }
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            isFloat = true
            position += 1
            if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        if let byte = peek(), byte == UInt8(ascii: ".") || byte.isGraphQLNameStart { throw unexpected() }
        return isFloat
    }

    private mutating func digits() throws(GraphQLError) {
        guard peek()?.isDigit == true else { throw unexpected() }
        while peek()?.isDigit == true { position += 1 }
    }

    private mutating func string() throws(GraphQLError) -> String {
        position += 1
        var value: [UInt8] = []
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: value, as: UTF8.self)
            case UInt8(ascii: "\\"): value += String(try escape()).utf8
            case ..<0x20 where byte != UInt8(ascii: "\t"): throw syntax("Unterminated string.")
            default:
                value.append(byte)
                position += 1
            }
        }
        throw syntax("Unterminated string.")
    }

    private mutating func escape() throws(GraphQLError) -> Unicode.Scalar {
        let simple: [UInt8: Unicode.Scalar] = [
            UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/", UInt8(ascii: "b"): "\u{8}",
            UInt8(ascii: "f"): "\u{C}", UInt8(ascii: "n"): "\n", UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
        ]
        guard let byte = peek(1) else { throw syntax("Unterminated string.") }
        if let scalar = simple[byte] {
            position += 2
            return scalar
        }
        guard byte == UInt8(ascii: "u"), let unit = hexadecimal(at: position + 2) else {
            throw syntax("Invalid character escape sequence.")
        }
        position += 6
        if let scalar = Unicode.Scalar(unit) { return scalar }
        // The first half of a pair needs its second.
        guard (0xD800..<0xDC00).contains(unit), peek() == UInt8(ascii: "\\"), peek(1) == UInt8(ascii: "u"),
            let low = hexadecimal(at: position + 2), (0xDC00..<0xE000).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
        else { throw syntax("Invalid Unicode escape sequence.") }
        position += 6
        return scalar
    }

    private func hexadecimal(at offset: Int) -> UInt32? {
        guard offset + 4 <= bytes.count else { return nil }
        let digits = text(offset..<offset + 4)
        return digits.allSatisfy(\.isHexDigit) ? UInt32(digits, radix: 16) : nil
    }

    private mutating func blockString() throws(GraphQLError) -> String {
        position += 3
        var raw: [UInt8] = []
        let quote = UInt8(ascii: "\"")
        while let byte = peek() {
            if byte == quote, peek(1) == quote, peek(2) == quote {
                position += 3
                return Self.dedented(String(decoding: raw, as: UTF8.self))
            }
            if byte == UInt8(ascii: "\\"), peek(1) == quote, peek(2) == quote, peek(3) == quote {
                raw += [quote, quote, quote]
                position += 4
            } else if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                raw.append(UInt8(ascii: "\n"))
                newline()
            } else {
                raw.append(byte)
                position += 1
            }
        }
        throw syntax("Unterminated string.")
    }

    /// Without the indentation that all lines but the first share, and without blank lines at both ends.
    private static func dedented(_ raw: String) -> String {
        var lines = raw.split(separator: "\n", omittingEmptySubsequences: false)
        let isBlank: (Substring) -> Bool = { $0.allSatisfy { $0 == " " || $0 == "\t" } }
        let indents = lines.dropFirst().filter { !isBlank($0) }.map { $0.prefix { $0 == " " || $0 == "\t" }.count }
        let indent = indents.min() ?? 0
        for index in lines.indices.dropFirst() { lines[index] = lines[index].dropFirst(indent) }
        while let first = lines.first, isBlank(first) { lines.removeFirst() }
        while let last = lines.last, isBlank(last) { lines.removeLast() }
        return lines.joined(separator: "\n")
    }

    private func unexpected() -> GraphQLError {
        guard position < bytes.count else { return syntax("Unexpected <EOF>.") }
        let character = String(decoding: bytes[position...].prefix(4), as: UTF8.self).prefix(1)
        return syntax("Unexpected character: \"\(character)\".")
    }

    private func syntax(_ message: String) -> GraphQLError {
        GraphQLError("Syntax Error: \(message)", .parseFailed, at: here)
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    fileprivate var isGraphQLNameStart: Bool {
        self == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
    }
}
