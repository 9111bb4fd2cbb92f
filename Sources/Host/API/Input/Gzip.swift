/// Unpacks what gzip has packed (RFC 1952), in memory that is bounded whatever it is given.
enum Gzip {
    enum Fault: Error {
        case damaged
        case tooLarge
    }

    /// - Parameter limit: of the unpacked bytes.
    static func unpack(_ packed: [UInt8], limit: Int) throws(Fault) -> [UInt8] {
        var position = try headerLength(packed)
        var inflate = Inflate(packed, from: position, limit: limit)
        let bytes = try inflate.run()
        position = inflate.position
        // One member, and nothing behind it.
        guard packed.count == position + 8 else { throw .damaged }
        let trailer = packed[position...].reversed().map { UInt32($0) }
        let (length, checksum) = (Self.number(trailer[..<4]), Self.number(trailer[4...]))
        guard length == UInt32(truncatingIfNeeded: bytes.count), checksum == crc(bytes) else { throw .damaged }
        return bytes
    }

    private static func number(_ bytes: some Sequence<UInt32>) -> UInt32 { bytes.reduce(0) { $0 << 8 | $1 } }

    private static func headerLength(_ bytes: [UInt8]) throws(Fault) -> Int {
        guard bytes.count >= 18, bytes[0] == 0x1F, bytes[1] == 0x8B, bytes[2] == 8, bytes[3] & 0xE0 == 0 else {
            throw .damaged
        }
        let flags = bytes[3]
        var position = 10
        if flags & 0x04 != 0 {
            guard position + 2 <= bytes.count else { throw .damaged }
            position += 2 + Int(bytes[position]) + Int(bytes[position + 1]) << 8
        }
        // A file's name, and a comment.
        for flag in [UInt8(0x08), 0x10] where flags & flag != 0 {
            guard position < bytes.count, let end = bytes[position...].firstIndex(of: 0) else { throw .damaged }
            position = end + 1
        }
        if flags & 0x02 != 0 { position += 2 }
        guard position < bytes.count else { throw .damaged }
        return position
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
    }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0 as UInt32) { table[Int(($0 ^ UInt32($1)) & 0xFF)] ^ $0 >> 8 }
    }
}
