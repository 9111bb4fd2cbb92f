/// A point in time in microseconds since 1970-01-01 UTC, the resolution of PostgreSQL's `timestamptz`.
public struct Timestamp: Sendable, Hashable, Comparable {
    public let microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    public func advanced(by duration: Duration) -> Timestamp {
        Timestamp(microseconds: microseconds + duration.microseconds)
    }

    public func duration(since earlier: Timestamp) -> Duration {
        .microseconds(microseconds - earlier.microseconds)
    }

    public var milliseconds: Int64 { microseconds / 1_000 }
}

extension Duration {
    /// Whole microseconds, rounded towards zero.
    public var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
    /// Whole milliseconds, rounded towards zero.
    public var milliseconds: Int64 { microseconds / 1_000 }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC with milliseconds: `2026-11-23T08:15:00.250Z`.
    public var description: String { text(fractionDigits: 3) }

    /// The same with all six digits of the fraction.
    public var exactDescription: String { text(fractionDigits: 6) }

    /// Written byte by byte: each checkpoint has several.
    private func text(fractionDigits: Int) -> String {
        let (days, rest) = Self.floorDivide(microseconds, 86_400_000_000)
        let (year, month, day) = Self.civil(fromDays: days)
        let seconds = rest / 1_000_000
        let fraction = fractionDigits == 3 ? rest / 1_000 % 1_000 : rest % 1_000_000
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        if 0...9_999 ~= year { Self.append(year, 4, to: &bytes) } else { bytes += String(year).utf8 }
        for (separator, value, digits) in [
            ("-", month, 2), ("-", day, 2), ("T", seconds / 3_600, 2), (":", seconds / 60 % 60, 2),
            (":", seconds % 60, 2), (".", fraction, fractionDigits),
        ] as [(Unicode.Scalar, Int64, Int)] {
            bytes.append(UInt8(ascii: separator))
            Self.append(value, digits, to: &bytes)
        }
        bytes.append(UInt8(ascii: "Z"))
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func append(_ value: Int64, _ digits: Int, to bytes: inout [UInt8]) {
        let start = bytes.count
        for _ in 0..<digits { bytes.append(UInt8(ascii: "0")) }
        var rest = value
        for position in (start..<bytes.count).reversed() {
            bytes[position] += UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let remainder = (value % divisor + divisor) % divisor
        return ((value - remainder) / divisor, remainder)
    }

    /// Howard Hinnant's `civil_from_days`: exact for the proleptic Gregorian calendar.
    private static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}
