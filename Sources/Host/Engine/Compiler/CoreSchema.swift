import Domain

/// The type of a plain YAML scalar by the core schema (YAML 1.2.2, section 10.3), as JSON.
enum CoreSchema {
    enum Resolution {
        case value(JSON)
        /// Infinity and not-a-number, or a number with more digits than a reader of JSON has to accept.
        case unrepresentable
    }

    static func resolve(_ text: String) -> Resolution {
        switch text {
        case "", "~", "null", "Null", "NULL": return .value(.null)
        case "true", "True", "TRUE": return .value(.bool(true))
        case "false", "False", "FALSE": return .value(.bool(false))
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN":
            return .unrepresentable
        default: break
        }
        guard let first = text.utf8.first,
            isDigit(first) || first == UInt8(ascii: "+") || first == UInt8(ascii: "-")
                || first == UInt8(ascii: ".")
        else { return .value(.string(text)) }
        for (prefix, radix) in [("0x", 16), ("0o", 8)] where text.hasPrefix(prefix) {
            let digits = text.dropFirst(2)
            guard digits.utf8.first.map({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) == true else { break }
            if let value = Int64(digits, radix: radix) { return .value(.integer(value)) }
        }
        guard let number = jsonNumber(text) else { return .value(.string(text)) }
        // The JSON reader holds the limits on digits and exponents.
        guard let value = try? JSON.parse(number) else { return .unrepresentable }
        return .value(value)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    /// The number in JSON's spelling (`+.5` is `0.5`); nil if the text is not a number.
    private static func jsonNumber(_ text: String) -> String? {
        var rest = Substring(text)
        let sign = rest.first == "-" ? "-" : ""
        if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
        let whole = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(whole.count)
        var fraction: Substring?
        if rest.first == "." {
            fraction = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(1 + (fraction?.count ?? 0))
        }
        guard !whole.isEmpty || fraction?.isEmpty == false else { return nil }
        var exponent = ""
        if rest.first == "e" || rest.first == "E" {
            var digits = rest.dropFirst()
            let exponentSign = digits.first == "-" ? "-" : ""
            if digits.first == "-" || digits.first == "+" { digits.removeFirst() }
            guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
            exponent = "e" + exponentSign + digits
            rest = ""
        }
        guard rest.isEmpty else { return nil }
        let significant = whole.drop { $0 == "0" }
        let point = fraction.map { $0.isEmpty ? "" : ".\($0)" } ?? ""
        return sign + (significant.isEmpty ? "0" : significant) + point + exponent
    }
}
