/// The parser of texts with references. It goes on behind a fault, so that all of them are found.
struct ReferenceScan {
    /// Longer than any path anyone means.
    static let maximumReferenceBytes = 256

    private(set) var segments: [ReferenceTemplate.Segment] = []
    private(set) var faults: [ReferenceSyntaxError] = []

    init(_ text: String) {
        var literal = ""
        var rest = Substring(text)
        while let open = rest.firstRange(of: "{{") {
            let before = rest[..<open.lowerBound]
            if before.utf8.last == UInt8(ascii: "\\") {
                literal += before.dropLast() + "{{"
                rest = rest[open.upperBound...]
                continue
            }
            literal += before
            let inner = rest[open.upperBound...]
            guard let close = inner.firstRange(of: "}}"),
                !(inner[..<close.lowerBound].contains("{{") || inner[..<close.lowerBound].contains("\n"))
            else {
                faults.append(Self.unclosed(inner))
                rest = inner
                continue
            }
            if !literal.isEmpty { segments.append(.text(literal)) }
            literal = ""
            switch Self.reference(inner[..<close.lowerBound]) {
            case .success(let reference): segments.append(.reference(reference))
            case .failure(let fault): faults.append(fault)
            }
            rest = inner[close.upperBound...]
        }
        literal += rest
        if !literal.isEmpty { segments.append(.text(literal)) }
    }

    private static func unclosed(_ inner: Substring) -> ReferenceSyntaxError {
        let line = inner.prefix { !$0.isNewline && $0 != "{" }
        return ReferenceSyntaxError(
            code: "malformed_reference",
            reason: "\"{{\(line.prefix(40))\" is not closed by \"}}\"; write \\{{ for literal braces", text: "{{\(line)"
        )
    }

    private static func reference(_ inner: Substring) -> Result<Reference, ReferenceSyntaxError> {
        let written = "{{\(inner)}}"
        func fault(_ code: String, _ reason: String) -> Result<Reference, ReferenceSyntaxError> {
            .failure(ReferenceSyntaxError(code: code, reason: reason, text: written))
        }
        guard inner.utf8.count <= maximumReferenceBytes else {
            return fault("malformed_reference", "a reference is longer than \(maximumReferenceBytes) bytes")
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
