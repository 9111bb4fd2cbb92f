/// A time-ordered UUID (RFC 9562, section 5.7): 48 bits of Unix milliseconds, the rest random.
///
/// Rows with such a key are appended at the end of their index, and the key carries its row's month, which is
/// how a partitioned table finds it.
public struct UUIDv7: Sendable, Hashable, Comparable {
    public let high: UInt64
    public let low: UInt64

    public init(at time: Timestamp) {
        var random = SystemRandomNumberGenerator()
        let milliseconds = UInt64(clamping: time.milliseconds) & 0xFFFF_FFFF_FFFF
        high = milliseconds << 16 | 0x7000 | random.next() & 0x0FFF
        low = 0x8000_0000_0000_0000 | random.next() & 0x3FFF_FFFF_FFFF_FFFF
    }

    /// Reads the canonical text of any UUID (8-4-4-4-12 hexadecimal digits); nil otherwise.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count == 36, [8, 13, 18, 23].allSatisfy({ bytes[$0] == UInt8(ascii: "-") }) else { return nil }
        let digits = String(text.filter { $0 != "-" })
        guard digits.utf8.count == 32, digits.utf8.allSatisfy({ $0 != UInt8(ascii: "+") }),
            let high = UInt64(digits.prefix(16), radix: 16), let low = UInt64(digits.suffix(16), radix: 16)
        else { return nil }
        self.high = high
        self.low = low
    }

    /// The time in the first 48 bits, for a version 7 UUID.
    public var timestamp: Timestamp { Timestamp(microseconds: Int64(high >> 16) * 1_000) }

    public static func < (left: UUIDv7, right: UUIDv7) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

extension UUIDv7: CustomStringConvertible {
    public var description: String {
        func hexadecimal(_ value: UInt64) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        let digits = Array((hexadecimal(high) + hexadecimal(low)).utf8)
        return [digits[0..<8], digits[8..<12], digits[12..<16], digits[16..<20], digits[20..<32]]
            .map { String(decoding: $0, as: UTF8.self) }.joined(separator: "-")
    }
}
