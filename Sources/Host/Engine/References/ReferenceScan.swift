/// The parser of texts with references. It goes on behind a fault, so that all of them are found.
struct ReferenceScan {
    /// Longer than any path anyone means.
    static let maximumReferenceBytes = 256
    /// Names in one path: what refers to an answer's field shapes that answer, and no document is deeper.
    static let maximumReferenceNames = 16

    private(set) var segments: [ReferenceTemplate.Segment] = []
    private(set) var faults: [ReferenceSyntaxError] = []

    var references: [Reference] {
        segments.compactMap { if case .reference(let reference) = $0 { reference } else { nil } }
    }

    init(_ text: String) {
        let bytes = Array(text.utf8)
        var literal: [UInt8] = []
        var position = 0
        while position < bytes.count {
            guard Self.isPair(bytes, position, UInt8(ascii: "{")) else {
                literal.append(bytes[position])
                position += 1
                continue
            }
            position += 2
            if literal.last == UInt8(ascii: "\\") {
                literal.removeLast()
                literal += [UInt8(ascii: "{"), UInt8(ascii: "{")]
                continue
            }
            guard let end = Self.end(of: bytes, from: position) else {
                report(Self.unclosed(bytes[position...]))
                continue
            }
            append(&literal)
            let inner = String(decoding: bytes[position..<end], as: UTF8.self)
            switch Self.reference(inner[...]) {
            case .success(let reference): segments.append(.reference(reference))
            case .failure(let fault): report(fault)
            }
            position = end + 2
        }
        append(&literal)
    }

    private mutating func append(_ literal: inout [UInt8]) {
        guard !literal.isEmpty else { return }
        segments.append(.text(String(decoding: literal, as: UTF8.self)))
        literal = []
    }

    private mutating func report(_ fault: ReferenceSyntaxError) {
        if faults.count < Findings.maximum { faults.append(fault) }
    }

    private static func isPair(_ bytes: [UInt8], _ position: Int, _ brace: UInt8) -> Bool {
        position + 1 < bytes.count && bytes[position] == brace && bytes[position + 1] == brace
    }

    /// Where the closing braces of a reference stand; nil where the line ends, another reference begins or the
    /// reference is longer than any before they come.
    private static func end(of bytes: [UInt8], from start: Int) -> Int? {
        for position in start..<min(bytes.count, start + maximumReferenceBytes + 1) {
            if isPair(bytes, position, UInt8(ascii: "}")) { return position }
            if bytes[position] == UInt8(ascii: "\n") || isPair(bytes, position, UInt8(ascii: "{")) { return nil }
        }
        return nil
    }

    private static func unclosed(_ inner: ArraySlice<UInt8>) -> ReferenceSyntaxError {
        let line = inner.prefix(40).prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "{") }
        let start = String(decoding: line, as: UTF8.self)
        return ReferenceSyntaxError(
            code: "malformed_reference",
            reason: "\"{{\(start)\" is not closed by \"}}\" within its line and \(maximumReferenceBytes) bytes; "
                + "write \\{{ for literal braces", text: "{{\(start)")
    }

    private static func reference(_ inner: Substring) -> Result<Reference, ReferenceSyntaxError> {
        let written = "{{\(inner)}}"
        func fault(_ code: String, _ reason: String) -> Result<Reference, ReferenceSyntaxError> {
            .failure(ReferenceSyntaxError(code: code, reason: reason, text: written))
        }
        var body = inner
        while body.utf8.first == 0x20 { body.removeFirst() }
        while body.utf8.last == 0x20 { body.removeLast() }
        guard !body.isEmpty else {
            return fault("malformed_reference", "{{}} names nothing; write {{name}}, or \\{{ for literal braces")
        }
        if body.hasPrefix("secret:") {
            return fault("secret_reference", "\(written) refers to a secret; secrets are never put into a step's text")
        }
        let path = body.split(separator: ".", omittingEmptySubsequences: false)
        guard path.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isNameByte) }) else {
            return fault(
                "malformed_reference",
                "\(written) is not a reference: names of letters, digits, _ and - joined by dots; "
                    + "write \\{{ for literal braces")
        }
        guard path.count <= maximumReferenceNames else {
            return fault(
                "malformed_reference",
                "\(written) has \(path.count) names; at most \(maximumReferenceNames) are allowed")
        }
        return .success(Reference(path: path.map { String($0) }, text: written))
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
