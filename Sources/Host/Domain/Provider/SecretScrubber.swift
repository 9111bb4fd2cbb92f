/// Replaces secret values in a byte stream by `[secret]`, wherever the stream is cut into pieces. It holds back only
/// bytes that may be the beginning of a secret.
public struct SecretScrubber: Sendable {
    private static let mask = Array("[secret]".utf8)

    /// Longest first: a secret that begins with another must not leave its tail behind.
    private let secrets: [[UInt8]]
    private let isFirstByte: [Bool]
    private var held: [UInt8] = []

    /// - Parameter values: the secrets; empty ones are passed over.
    public init(secrets values: [String]) {
        secrets = Set(values).map { Array($0.utf8) }.filter { !$0.isEmpty }.sorted { $0.count > $1.count }
        var isFirstByte = [Bool](repeating: false, count: secrets.isEmpty ? 0 : 256)
        for secret in secrets { isFirstByte[Int(secret[0])] = true }
        self.isFirstByte = isFirstByte
    }

    /// The next piece of the stream, scrubbed, without what must wait for the piece after it.
    public mutating func scrub(_ piece: [UInt8]) -> [UInt8] {
        guard !secrets.isEmpty else { return piece }
        let (clean, rest) = process(held + piece, isLast: false)
        held = rest
        return clean
    }

    /// What was held back, at the end of the stream.
    public mutating func flush() -> [UInt8] {
        defer { held = [] }
        return held.isEmpty ? [] : process(held, isLast: true).clean
    }

    /// A whole text at once, whatever the stream holds back. Bytes are compared, so that no mark which joins a secret's
    /// last character can hide it.
    public func scrubbed(_ text: String) -> String {
        guard !secrets.isEmpty else { return text }
        return String(decoding: process(Array(text.utf8), isLast: true).clean, as: UTF8.self)
    }

    private enum Match {
        case none
        case whole(count: Int)
        case possible
    }

    private func process(_ bytes: [UInt8], isLast: Bool) -> (clean: [UInt8], held: [UInt8]) {
        var clean: [UInt8] = []
        clean.reserveCapacity(bytes.count)
        var index = 0
        scan: while index < bytes.count {
            if isFirstByte[Int(bytes[index])] {
                switch match(bytes, at: index, isLast: isLast) {
                case .none: break
                case .whole(let count):
                    clean += Self.mask
                    index += count
                    continue scan
                case .possible:
                    return (clean, Array(bytes[index...]))
                }
            }
            clean.append(bytes[index])
            index += 1
        }
        return (clean, [])
    }

    private func match(_ bytes: [UInt8], at index: Int, isLast: Bool) -> Match {
        let available = bytes.count - index
        for secret in secrets {
            if secret.count <= available {
                if bytes[index..<index + secret.count].elementsEqual(secret) { return .whole(count: secret.count) }
            } else if !isLast, bytes[index...].elementsEqual(secret.prefix(available)) {
                return .possible
            }
        }
        return .none
    }
}
