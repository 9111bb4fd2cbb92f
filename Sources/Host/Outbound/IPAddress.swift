import Glibc

/// An IP address as a number, and whether it names one host of the public internet. An IPv4 address is held in its
/// mapped form, `::ffff:a.b.c.d`, so that the two spellings of it are one.
struct IPAddress: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    private static let mapped: UInt64 = 0xFFFF

    /// - Parameter bytes: 4 or 16 of them, in network order; nil for any other number.
    init?(_ bytes: some Collection<UInt8>) {
        func number(_ bytes: some Collection<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        switch bytes.count {
        case 4: (high, low) = (0, Self.mapped << 32 | number(bytes))
        case 16: (high, low) = (number(bytes.prefix(8)), number(bytes.dropFirst(8)))
        default: return nil
        }
    }

    /// Reads `192.0.2.1` or `2001:db8::1`, without brackets or zone; nil for what is no address.
    init?(_ text: String) {
        var bytes = [UInt8](repeating: 0, count: 16)
        if unsafe inet_pton(AF_INET, text, &bytes) == 1 {
            self.init(bytes.prefix(4))
        } else if unsafe inet_pton(AF_INET6, text, &bytes) == 1 {
            self.init(bytes)
        } else {
            return nil
        }
    }

    /// Whether it is a globally reachable unicast address (IANA's registries of special-purpose addresses): what
    /// leads back into this machine, its network or its cloud is none. An IPv6 address that carries an IPv4 address to
    /// connect to is judged by that one.
    var isPublic: Bool {
        if let inner = embedded { return Self.isPublic(inner) }
        return high >> 61 == 0b001 && !Self.special.contains { $0.contains(high) }
    }

    /// The IPv4 address that a connection to this one ends at: it is one, or a translator takes it there.
    private var embedded: UInt32? {
        switch (high, low >> 32) {
        case (0, Self.mapped): UInt32(truncatingIfNeeded: low)
        // NAT64, RFC 6052.
        case (0x0064_FF9B_0000_0000, 0): UInt32(truncatingIfNeeded: low)
        // 6to4, RFC 3056.
        case _ where high >> 48 == 0x2002: UInt32(truncatingIfNeeded: high >> 16)
        default: nil
        }
    }

    /// The first bits of an address.
    private struct Network<Number: FixedWidthInteger & Sendable>: Sendable {
        let start: Number
        let length: Int

        init(_ start: Number, _ length: Int) { (self.start, self.length) = (start, length) }

        func contains(_ number: Number) -> Bool { (number ^ start) >> (Number.bitWidth - length) == 0 }
    }

    /// What is no host of the internet within 2000::/3, the only block given out.
    private static let special: [Network<UInt64>] = [
        .init(0x2001_0000_0000_0000, 23),  // protocol assignments: Teredo, benchmarks, ORCHID
        .init(0x2001_0DB8_0000_0000, 32), .init(0x3FFF_0000_0000_0000, 20),  // documentation
    ]

    private static func isPublic(_ address: UInt32) -> Bool { !specialIPv4.contains { $0.contains(address) } }

    private static let specialIPv4: [Network<UInt32>] = [
        .init(0x0000_0000, 8),  // this network: unspecified
        .init(0x0A00_0000, 8), .init(0xAC10_0000, 12), .init(0xC0A8_0000, 16),  // private
        .init(0x6440_0000, 10),  // carrier-grade NAT, and a cloud's metadata
        .init(0x7F00_0000, 8),  // loopback
        .init(0xA9FE_0000, 16),  // link-local, and the clouds' metadata
        .init(0xA83F_8110, 32),  // public by number: a cloud's own services answer its machines here
        .init(0xC000_0000, 24),  // protocol assignments, and a cloud's metadata
        .init(0xC058_6300, 24),  // relays of 6to4
        .init(0xC612_0000, 15),  // benchmarks
        .init(0xC000_0200, 24), .init(0xC633_6400, 24), .init(0xCB00_7100, 24),  // documentation
        .init(0xE000_0000, 3),  // multicast, reserved, broadcast
    ]
}
