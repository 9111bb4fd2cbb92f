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
        var (high, low): (UInt64, UInt64) = (0, 0)
        var position = 0
        for byte in text.utf8 {
            defer { position += 1 }
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            guard position < 36 else { return nil }
            if position < 18 { high = high << 4 | UInt64(digit) } else { low = low << 4 | UInt64(digit) }
        }
        guard position == 36 else { return nil }
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
        unsafe String(unsafeUninitializedCapacity: 36) { buffer in
            let digits: StaticString = "0123456789abcdef"
            var position = 0
            for half in [high, low] {
                for shift in stride(from: UInt64(60), through: 0, by: -4) {
                    if position == 8 || position == 13 || position == 18 || position == 23 {
                        unsafe buffer[position] = UInt8(ascii: "-")
                        position += 1
                    }
                    unsafe buffer[position] = digits.utf8Start[Int(half >> shift & 15)]
                    position += 1
                }
            }
            return position
        }
    }
}
