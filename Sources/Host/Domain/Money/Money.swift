/// An amount of US dollars in whole pico-dollars (10⁻¹² $): never floating point, never rounded on the way.
///
/// Sixty-four bits end at about 9.2 million dollars; going past that is an error, not a trap.
public struct Money: Sendable, Hashable, Comparable {
    public let picoDollars: Int64

    public init(picoDollars: Int64) { self.picoDollars = picoDollars }

    public static let zero = Money(picoDollars: 0)

    /// The sum, or `MoneyOverflow`.
    public func adding(_ other: Money) throws(MoneyOverflow) -> Money {
        let (sum, overflow) = picoDollars.addingReportingOverflow(other.picoDollars)
        guard !overflow else { throw MoneyOverflow() }
        return Money(picoDollars: sum)
    }

    /// The amount for `count` units at this price, or `MoneyOverflow`.
    public func times(_ count: Int64) throws(MoneyOverflow) -> Money {
        let (product, overflow) = picoDollars.multipliedReportingOverflow(by: count)
        guard !overflow else { throw MoneyOverflow() }
        return Money(picoDollars: product)
    }

    public static func < (left: Money, right: Money) -> Bool { left.picoDollars < right.picoDollars }
}

/// An amount left the range of 64-bit pico-dollars.
public struct MoneyOverflow: Error, Sendable, CustomStringConvertible {
    public init() {}
    public var description: String { "an amount exceeds 9.2 million dollars" }
}

extension Money: CustomStringConvertible {
    /// The exact decimal value, at least two and at most twelve digits after the point: `0.000123`, `12.50`.
    public var description: String {
        let magnitude = picoDollars.magnitude
        var fraction = magnitude % 1_000_000_000_000
        var places = 12
        while places > 2, fraction % 10 == 0 {
            fraction /= 10
            places -= 1
        }
        let digits = String(fraction)
        return "\(picoDollars < 0 ? "-" : "")\(magnitude / 1_000_000_000_000)."
            + String(repeating: "0", count: places - digits.utf8.count) + digits
    }

    /// Reads a plain or scientific decimal number (`8.50`, `2e-06`) exactly; nil if it is not one, is finer than
    /// a pico-dollar, or exceeds the range.
    public init?(decimal text: some StringProtocol) {
        let parts = text.lowercased().split(separator: "e", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count) else { return nil }
        guard let exponent = parts.count == 2 ? Int(parts[1]) : 0, (-30...30).contains(exponent) else { return nil }
        var digits = parts[0]
        let isNegative = digits.first == "-"
        if isNegative { digits = digits.dropFirst() }
        let halves = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(halves.count), !halves[0].isEmpty, halves.allSatisfy({ !$0.isEmpty }),
            halves.joined().utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 })
        else { return nil }
        var all = halves.joined()
        var shift = exponent + 12 - (halves.count == 2 ? halves[1].count : 0)
        while shift < 0, all.last == "0" {
            all.removeLast()
            shift += 1
        }
        if all.isEmpty { (all, shift) = ("0", 0) }
        guard shift >= 0, let magnitude = Int64(all + String(repeating: "0", count: shift)) else { return nil }
        self.init(picoDollars: isNegative ? -magnitude : magnitude)
    }
}
