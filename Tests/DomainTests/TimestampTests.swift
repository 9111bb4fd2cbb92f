import Domain
import Testing

@Suite struct TimestampTests {
    private static let times: [(Int64, String)] = [
        (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00.000Z"), (951_868_799_999_999, "2000-02-29T23:59:59.999Z"),
        (1_795_421_700_250_000, "2026-11-23T08:15:00.250Z"), (4_107_542_400_000_000, "2100-03-01T00:00:00.000Z"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00.000Z"), (253_402_300_799_999_000, "9999-12-31T23:59:59.999Z"),
    ]

    @Test(arguments: times)
    func `prints RFC 3339 in UTC`(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).description == text)
    }

    @Test(
        arguments: [
            ("1970-01-01", 0), ("2000-02-29", 951_782_400_000_000), ("2026-11-23", 1_795_392_000_000_000),
            ("2026-02-29", nil), ("2026-04-31", nil), ("2026-11-3", nil), ("2026-11-+3", nil), ("1969-12-31", nil),
            ("2026-11-23T00:00:00Z", nil), ("", nil),
        ] as [(String, Int64?)])
    func `reads the days of the calendar and nothing else`(text: String, microseconds: Int64?) {
        #expect(Timestamp(day: text)?.microseconds == microseconds)
    }

    @Test func `arithmetic is in microseconds`() {
        let start = Timestamp(microseconds: 1_000)
        let end = start.advanced(by: .milliseconds(1_500))
        #expect(end == Timestamp(microseconds: 1_501_000))
        #expect(end.duration(since: start) == .milliseconds(1_500))
        #expect(start < end)
        #expect(end.milliseconds == 1_501)
        #expect(Duration.nanoseconds(1_999).microseconds == 1)
        #expect(Duration.seconds(2).milliseconds == 2_000)
    }

    @Test func `the machine's clock is after this was written`() {
        #expect(SystemWallClock().now() > Timestamp(microseconds: 1_750_000_000_000_000))
    }
}
