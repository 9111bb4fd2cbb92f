/// The three forms of date that HTTP allows (RFC 9110, section 5.6.7).
package enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Seconds since 1970-01-01 UTC; nil where the text is no such date.
    package static func unixSeconds(_ text: String) -> Int64? {
        let parts = text.split(whereSeparator: { " ,-:".contains($0) }).map(String.init)
        switch parts.count {
        case 8 where parts[7] == "GMT":
            // "Sun, 06 Nov 1994 08:49:37 GMT" and "Sunday, 06-Nov-94 08:49:37 GMT"
            return seconds(year: parts[3], month: parts[2], day: parts[1], time: parts[4...6])
        case 7:
            // "Sun Nov  6 08:49:37 1994"
            return seconds(year: parts[6], month: parts[1], day: parts[2], time: parts[3...5])
        default: return nil
        }
    }

    private static func seconds(year: String, month: String, day: String, time: ArraySlice<String>) -> Int64? {
        guard var year = Int64(year), let month = months.firstIndex(of: month), let day = Int64(day),
            (0...9_999).contains(year), (1...31).contains(day)
        else { return nil }
        // A two-digit year far in the future stands for the past century; from here on that is 70 and above.
        if year < 100 { year += year < 70 ? 2_000 : 1_900 }
        let clock = time.compactMap { Int64($0) }
        guard clock.count == 3, 0...23 ~= clock[0], 0...59 ~= clock[1], 0...60 ~= clock[2] else { return nil }
        let days = days(year: year, month: Int64(month) + 1, day: day)
        return days * 86_400 + clock[0] * 3_600 + clock[1] * 60 + clock[2]
    }

    /// Howard Hinnant's `days_from_civil`, for years from 0.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
