import Domain

/// Collects header lines as libcurl hands them over, up to the head of the final response. Interim responses (1xx)
/// and trailers are passed over.
struct ResponseHead {
    private static let maximumBytes = 256 * 1024

    enum Step {
        case incomplete
        case complete(status: Int, headers: [OutboundRequest.Header], version: String)
        case failed(ProviderError)
    }

    private var status = 0
    private var version = ""
    private var headers: [OutboundRequest.Header] = []
    private var byteCount = 0
    private(set) var isComplete = false

    /// Takes one line with its line break. Names are delivered in lower case, values as UTF-8, repaired.
    mutating func append(_ line: some Collection<UInt8>) -> Step {
        guard !isComplete else { return .incomplete }
        byteCount += line.count
        guard byteCount <= Self.maximumBytes else {
            return .failed(
                ProviderError(.upstream, "the response's header is larger than \(Self.maximumBytes) bytes"))
        }
        let text = line.prefix { $0 != 0x0D && $0 != 0x0A }
        if text.isEmpty { return endOfBlock() }
        if let first = text.first, first == 0x20 || first == 0x09 {
            continueField(with: text)
        } else if text.starts(with: "HTTP/".utf8) {
            beginBlock(String(decoding: text, as: UTF8.self))
        } else if let colon = text.firstIndex(of: UInt8(ascii: ":")) {
            headers.append(
                .init(
                    String(decoding: text[..<colon], as: UTF8.self).lowercased(),
                    String(decoding: Self.trimmed(text[text.index(after: colon)...]), as: UTF8.self)))
        }
        return .incomplete
    }

    private mutating func beginBlock(_ statusLine: String) {
        let fields = statusLine.split(separator: " ", maxSplits: 2)
        version = String(fields[0].dropFirst("HTTP/".count))
        status = fields.count > 1 ? Int(fields[1]) ?? 0 : 0
        headers = []
    }

    /// A folded line (RFC 9112, section 5.2) belongs to the field before it.
    private mutating func continueField(with text: some Collection<UInt8>) {
        guard let last = headers.popLast() else { return }
        headers.append(.init(last.name, last.value + " " + String(decoding: Self.trimmed(text), as: UTF8.self)))
    }

    private mutating func endOfBlock() -> Step {
        guard status >= 200 else { return .incomplete }
        isComplete = true
        defer { headers = [] }
        return .complete(status: status, headers: headers, version: version)
    }

    private static func trimmed(_ bytes: some Collection<UInt8>) -> [UInt8] {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        return Array(bytes.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}
