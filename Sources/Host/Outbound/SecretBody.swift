import Domain

/// Fills the secrets of a call into a body. A body carries what others wrote, a model or a user: what looks like a mark
/// and names none of those secrets stays as it is, and is no error.
enum SecretBody {
    private static let mark = Array("{{secret:".utf8)
    private static let end = Array("}}".utf8)
    /// What is longer names nothing, so that a body full of openings without an end is read once.
    private static let maximumNameBytes = 64

    /// - Parameter limit: of the filled body, in bytes.
    /// - Throws: `.denied` for a secret that may not be sent to this target, `.limit` where the body grows too large.
    static func filled(
        _ body: [UInt8], from secrets: SecretScope, egress: EgressPolicy, target: borrowing RequestTarget,
        limit: Int = OutboundRequest.maximumBodyBytes
    ) throws(ProviderError) -> [UInt8] {
        var filled: [UInt8] = []
        var escaped: [String: [UInt8]] = [:]
        var rest = body[...]
        while let start = rest.firstIndex(of: mark[0]) {
            filled += rest[..<start]
            rest = rest[start...]
            guard let (name, after) = leadingName(rest), let value = secrets.value(of: name, for: .body) else {
                filled.append(rest.removeFirst())
                continue
            }
            if escaped[name] == nil {
                guard secrets.egress(of: name, within: egress).allows(target) else {
                    throw ProviderError(.denied, "the secret \(name) may not be sent to \(target.origin)")
                }
                escaped[name] = JSON.string(value).bytes.dropFirst().dropLast()
            }
            filled += escaped[name, default: []]
            rest = after
            guard filled.count + rest.count <= limit else {
                throw ProviderError(.limit, "with its secrets filled in, the body is longer than \(limit) bytes")
            }
        }
        return filled + rest
    }

    /// The name in the mark that the bytes begin with, and what follows the mark.
    private static func leadingName(_ bytes: ArraySlice<UInt8>) -> (name: String, after: ArraySlice<UInt8>)? {
        guard bytes.starts(with: mark) else { return nil }
        let rest = bytes.dropFirst(mark.count)
        guard let close = rest.prefix(maximumNameBytes + end.count).firstRange(of: end) else { return nil }
        return (String(decoding: rest[..<close.lowerBound], as: UTF8.self), rest[close.upperBound...])
    }
}
