import Domain

/// A request's header fields as they are sent: checked, with their secrets filled in. Kept apart from
/// `OutboundRequest` because these hold secret values: nothing here may be logged or described.
struct RequestHeaders {
    /// Each as libcurl takes it: `Name: value`, or `Name;` where the value is empty.
    let lines: [String]

    /// Fields the transport writes itself: letting a request set them would let it reach another virtual host than
    /// the one that was checked, or smuggle a second request (RFC 9112, sections 7 and 11).
    private static let ownFields: Set<String> = [
        "host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "expect", "keep-alive",
        "proxy-authorization", "proxy-connection", "http2-settings",
    ]

    /// - Throws: `.invalid` for a malformed field, `.denied` for a secret that is not granted for this target.
    init(
        _ headers: [OutboundRequest.Header], secrets: SecretScope, egress: EgressPolicy,
        target: borrowing RequestTarget
    ) throws(ProviderError) {
        var lines: [String] = []
        for header in headers {
            let name = try Self.checkedName(header.name)
            let value = try Self.filled(header, from: secrets) { name throws(ProviderError) in
                let hosts = secrets.egress(of: name, within: egress)
                guard hosts.allows(target) else {
                    throw ProviderError(
                        .denied,
                        "the secret \(name) may not be sent to \(target.origin); its hosts are "
                            + (hosts.hosts + hosts.origins).joined(separator: ", "))
                }
            }
            if name == "accept-encoding", value.lowercased() != "identity" {
                throw ProviderError(
                    .invalid, "the header Accept-Encoding may only be identity: bodies pass as they are; leave it out")
            }
            lines.append(
                value.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 } ? "\(header.name);" : "\(header.name): \(value)")
        }
        // Otherwise libcurl waits for 100 (Continue) before larger bodies.
        lines.append("Expect:")
        self.lines = lines
    }

    private static func checkedName(_ name: String) throws(ProviderError) -> String {
        guard isToken(name) else {
            throw ProviderError(
                .invalid, "the header name \(quoted(name)) is not a token of letters, digits and !#$%&'*+-.^_`|~")
        }
        let lowercased = name.lowercased()
        guard !ownFields.contains(lowercased) else {
            throw ProviderError(.invalid, "the header \(name) is written by the host itself; leave it out")
        }
        return lowercased
    }

    private static func filled(
        _ header: OutboundRequest.Header, from secrets: SecretScope,
        check: (String) throws(ProviderError) -> Void
    ) throws(ProviderError) -> String {
        guard isFieldValue(header.value) else {
            throw ProviderError(.invalid, "the value of the header \(header.name) holds a control character")
        }
        var filled = ""
        var rest = header.value[...]
        while let (before, after) = rest.split(at: "{{secret:") {
            guard let (name, tail) = after.split(at: "}}") else {
                throw ProviderError(
                    .invalid, "the value of the header \(header.name) has {{secret: without the closing }}")
            }
            guard let value = secrets.value(of: String(name), for: .http) else {
                let granted = secrets.names.isEmpty ? "none" : secrets.names.joined(separator: ", ")
                throw ProviderError(
                    .denied,
                    "the header \(header.name) asks for the secret \(quoted(String(name))), which is not granted for "
                        + "http; known secrets: \(granted); add it to the instance's configuration")
            }
            try check(String(name))
            guard isFieldValue(value) else {
                throw ProviderError(
                    .invalid,
                    "the secret \(name) holds a line break or another control character and cannot stand in the "
                        + "header \(header.name); store it without")
            }
            filled += before + value
            rest = tail
        }
        return filled + rest
    }

    /// RFC 9110, section 5.6.2.
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    private static func isFieldValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { ($0 >= 0x20 || $0 == 0x09) && $0 != 0x7F }
    }
}

extension Substring {
    /// What stands before and after the first `mark`.
    fileprivate func split(at mark: String) -> (before: Substring, after: Substring)? {
        let bytes = utf8
        let pattern = mark.utf8
        var start = bytes.startIndex
        while let found = bytes[start...].firstIndex(of: pattern[pattern.startIndex]) {
            if bytes[found...].starts(with: pattern) {
                return (self[startIndex..<found], self[bytes.index(found, offsetBy: pattern.count)...])
            }
            start = bytes.index(after: found)
        }
        return nil
    }
}

/// Text of unknown origin, as it may stand in an error message: short, on one line.
func quoted(_ text: String) -> String {
    let shown = text.unicodeScalars.prefix(80).map { $0.value < 0x20 || $0.value == 0x7F ? "\u{FFFD}" : String($0) }
    return "“\(shown.joined())\(text.unicodeScalars.count > 80 ? "…" : "")”"
}
