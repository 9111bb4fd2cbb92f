extension JSON {
    /// What a reader accepts beyond the grammar's bare minimum.
    public struct Reading: Sendable {
        /// Levels of nesting beyond which a text is refused.
        public var maximumDepth = 64
        /// Replaces what PostgreSQL's jsonb cannot hold (U+0000, lone surrogates) by U+FFFD instead of refusing it:
        /// for text that a provider or model wrote and nobody can be asked to write again.
        public var repairsStrings = false

        public init(maximumDepth: Int = 64, repairsStrings: Bool = false) {
            self.maximumDepth = maximumDepth
            self.repairsStrings = repairsStrings
        }
    }

    /// The largest exponent, either way: a double's. PostgreSQL's jsonb writes a number out, so that larger ones would
    /// let a short text become a long one.
    public static let maximumExponent = 308

    /// Reads one JSON text (RFC 8259): UTF-8, no duplicate member names, nothing behind the value.
    ///
    /// - Throws: `JSONError` with the place of the first fault.
    public static func parse(_ bytes: [UInt8], _ reading: Reading = Reading()) throws(JSONError) -> JSON {
        var parser = JSONParser(bytes: bytes, reading: reading)
        return try parser.document()
    }

    public static func parse(_ text: String, _ reading: Reading = Reading()) throws(JSONError) -> JSON {
        try parse(Array(text.utf8), reading)
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    let reading: JSON.Reading
    var position = 0

    init(bytes: [UInt8], reading: JSON.Reading) {
        self.bytes = bytes
        self.reading = reading
    }

    mutating func document() throws(JSONError) -> JSON {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw fault("a byte order mark is not allowed") }
        let value = try self.value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw fault("unexpected text after the value") }
        return value
    }

    func fault(_ reason: String, at place: Int? = nil) -> JSONError {
        let offset = min(place ?? position, bytes.count)
        let before = bytes[..<offset]
        let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return JSONError(
            reason: reason, offset: offset, line: before.count(where: { $0 == 0x0A }) + 1,
            column: offset - lineStart + 1)
    }

    mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func value(depth: Int) throws(JSONError) -> JSON {
        guard depth <= reading.maximumDepth else { throw fault("nested deeper than \(reading.maximumDepth) levels") }
        skipSpace()
        switch peek() {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case let byte? where byte == UInt8(ascii: "-") || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte:
            return try number()
        case nil: throw fault("unexpected end of text")
        default: throw fault("expected a value")
        }
    }

    mutating func literal(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
        let matches = word.withUTF8Buffer { unsafe bytes[position...].starts(with: $0) }
        guard matches else { throw fault("expected a value") }
        position += word.utf8CodeUnitCount
        return value
    }

    mutating func object(depth: Int) throws(JSONError) -> JSONObject {
        position += 1
        var object = JSONObject()
        skipSpace()
        if peek() == UInt8(ascii: "}") { position += 1; return object }
        while true {
            skipSpace()
            guard peek() == UInt8(ascii: "\"") else { throw fault("expected a member name in quotes") }
            let start = position
            let key = try string()
            guard object[key] == nil else { throw fault("the member \"\(key)\" is given twice", at: start) }
            skipSpace()
            guard peek() == UInt8(ascii: ":") else { throw fault("expected ':' after the member name") }
            position += 1
            object[key] = try value(depth: depth + 1)
            skipSpace()
            switch peek() {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"): position += 1; return object
            default: throw fault("expected ',' or '}'")
            }
        }
    }

    mutating func array(depth: Int) throws(JSONError) -> [JSON] {
        position += 1
        var elements: [JSON] = []
        skipSpace()
        if peek() == UInt8(ascii: "]") { position += 1; return elements }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            switch peek() {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"): position += 1; return elements
            default: throw fault("expected ',' or ']'")
            }
        }
    }

    mutating func number() throws(JSONError) -> JSON {
        let start = position
        var isInteger = true
        if peek() == UInt8(ascii: "-") { position += 1 }
        if peek() == UInt8(ascii: "0") { position += 1 } else { try digits() }
        if peek() == UInt8(ascii: ".") { isInteger = false; position += 1; try digits() }
        if let mark = peek(), mark | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if let sign = peek(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            let exponent = position
            try digits()
            guard isModest(bytes[exponent..<position]) else {
                throw fault("a number's exponent is above \(JSON.maximumExponent)", at: start)
            }
        }
        guard position - start <= 1_000 else { throw fault("a number has more than 1000 digits", at: start) }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .integer(value) }
        return .decimal(text)
    }

    /// Whether an exponent's digits stand for one that is not too large.
    func isModest(_ digits: ArraySlice<UInt8>) -> Bool {
        let digits = digits.drop { $0 == UInt8(ascii: "0") }
        return digits.count <= 3 && digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) } <= JSON.maximumExponent
    }

    mutating func digits() throws(JSONError) {
        let start = position
        while let digit = peek(), UInt8(ascii: "0")...UInt8(ascii: "9") ~= digit { position += 1 }
        guard position > start else { throw fault("expected a digit") }
    }

    mutating func string() throws(JSONError) -> String {
        let opening = position
        position += 1
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "\""), bytes[position] != UInt8(ascii: "\\"),
            bytes[position] >= 0x20
        { position += 1 }
        var text = try utf8(start..<position)
        while true {
            guard let byte = peek() else { throw fault("a string is not closed", at: opening) }
            switch byte {
            case UInt8(ascii: "\""): position += 1; return text
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw fault("a control character must be escaped")
            default:
                let run = position
                while let next = peek(), next != UInt8(ascii: "\""), next != UInt8(ascii: "\\"), next >= 0x20 {
                    position += 1
                }
                text += try utf8(run..<position)
            }
        }
    }

    func utf8(_ range: Range<Int>) throws(JSONError) -> String {
        if let text = String(validating: bytes[range], as: UTF8.self) { return text }
        guard reading.repairsStrings else { throw fault("a string is not valid UTF-8", at: range.lowerBound) }
        return String(decoding: bytes[range], as: UTF8.self)
    }

    mutating func escape(into text: inout String) throws(JSONError) {
        let start = position
        position += 1
        guard let byte = peek() else { throw fault("a string is not closed", at: start) }
        position += 1
        switch byte {
        case UInt8(ascii: "\""): text += "\""
        case UInt8(ascii: "\\"): text += "\\"
        case UInt8(ascii: "/"): text += "/"
        case UInt8(ascii: "b"): text += "\u{8}"
        case UInt8(ascii: "f"): text += "\u{C}"
        case UInt8(ascii: "n"): text += "\n"
        case UInt8(ascii: "r"): text += "\r"
        case UInt8(ascii: "t"): text += "\t"
        case UInt8(ascii: "u"): text.unicodeScalars.append(try scalar(from: start))
        default: throw fault("unknown escape sequence", at: start)
        }
    }

    mutating func scalar(from start: Int) throws(JSONError) -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) {
            if first != 0 { return scalar }
            guard reading.repairsStrings else { throw fault("U+0000 is not allowed in a string", at: start) }
            return "\u{FFFD}"
        }
        if first < 0xDC00, peek() == UInt8(ascii: "\\"), position + 1 < bytes.count,
            bytes[position + 1] == UInt8(ascii: "u")
        {
            let mark = position
            position += 2
            let second = try hexadecimal()
            if 0xDC00...0xDFFF ~= second,
                let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
            {
                return scalar
            }
            position = mark
        }
        guard reading.repairsStrings else { throw fault("a lone surrogate is not a character", at: start) }
        return "\u{FFFD}"
    }

    mutating func hexadecimal() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch peek() {
            case let byte? where UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte: digit = byte - UInt8(ascii: "0")
            case let byte? where UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte | 0x20:
                digit = (byte | 0x20) - UInt8(ascii: "a") + 10
            default: throw fault("expected four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
