/// Replaces secret values in a byte stream by `[secret]`, wherever the stream is cut into pieces. It holds back only
/// bytes that may be the beginning of a secret.
struct SecretScrubber {
    private static let mask = Array("[secret]".utf8)

    /// Longest first: a secret that begins with another must not leave its tail behind.
    private let secrets: [[UInt8]]
    private let isFirstByte: [Bool]
    private var held: [UInt8] = []

    init(secrets values: [String]) {
        secrets = Set(values).map { Array($0.utf8) }.filter { !$0.isEmpty }.sorted { $0.count > $1.count }
        var isFirstByte = [Bool](repeating: false, count: secrets.isEmpty ? 0 : 256)
        for secret in secrets { isFirstByte[Int(secret[0])] = true }
        self.isFirstByte = isFirstByte
    }

    /// The next piece of the stream, scrubbed, without what must wait for the piece after it.
    mutating func scrub(_ piece: [UInt8]) -> [UInt8] {
        secrets.isEmpty ? piece : process(held + piece, isLast: false)
    }

    /// What was held back, at the end of the stream.
    mutating func flush() -> [UInt8] {
        held.isEmpty ? [] : process(held, isLast: true)
    }

    /// A whole text at once.
    static func scrub(_ text: String, of secrets: [String]) -> String {
        var scrubber = SecretScrubber(secrets: secrets)
        return String(decoding: scrubber.scrub(Array(text.utf8)) + scrubber.flush(), as: UTF8.self)
    }

    private enum Match {
        case none
        case whole(count: Int)
        case possible
    }

    private mutating func process(_ bytes: [UInt8], isLast: Bool) -> [UInt8] {
        held = []
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
                    held = Array(bytes[index...])
                    break scan
                }
            }
            clean.append(bytes[index])
            index += 1
        }
        return clean
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
