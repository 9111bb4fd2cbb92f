import Domain
import Metering
import Testing

@Suite struct PriceTableReadingTests {
    private static let tables: [(String, String)] = [
        ("[]", "wrong_type "), ("{}", "missing_field /versions"), (#"{"versions":[]}"#, "missing_field /versions"),
        (#"{"versions":[1]}"#, "wrong_type /versions/0"),
        (#"{"versions":[{"id":"v","effective":"2026-01-01"}]}"#, "missing_field /versions/0/models"),
        (#"{"versions":[{"effective":"2026-01-01","models":{}}]}"#, "missing_field /versions/0/id"),
        (version("2026-13-01"), "invalid_date /versions/0/effective"),
        (version("2026-02-30"), "invalid_date /versions/0/effective"),
        (version("2026-2-3"), "invalid_date /versions/0/effective"),
        (version("today"), "invalid_date /versions/0/effective"),
        (model(#""input":"1""#), "missing_field /versions/0/models/p/m/output"),
        (model(#""input":"1","output":"-1""#), "invalid_price /versions/0/models/p/m/output"),
        (model(#""input":1e-13,"output":1"#), "invalid_price /versions/0/models/p/m/input"),
        (model(#""input":true,"output":1"#), "invalid_price /versions/0/models/p/m/input"),
        (model(#""input":1,"ouput":1,"output":1"#), "unknown_key /versions/0/models/p/m/ouput output"),
        (model(#""input":1,"output":1,"tiers":{}"#), "wrong_type /versions/0/models/p/m/tiers"),
        (tiers("9", "9"), "out_of_range /versions/0/models/p/m/tiers/1"),
        (tiers("0", "9"), "out_of_range /versions/0/models/p/m/tiers/0"),
        (
            #"{"versions":[{"id":"v","effective":"2026-01-01","models":{}},"#
                + #"{"id":"v","effective":"2026-01-02","models":{}}]}"#, "duplicate_version /versions/1/id"
        ),
    ]

    private static func version(_ day: String, _ models: String = "") -> String {
        #"{"versions":[{"id":"v","effective":"\#(day)","models":{\#(models)}}]}"#
    }

    private static func model(_ prices: String) -> String { version("2026-01-01", #""p":{"m":{\#(prices)}}"#) }

    private static func tiers(_ thresholds: String...) -> String {
        let tiers = thresholds.map { #"{"above_input_tokens":\#($0),"input":1,"output":1}"# }
        return model(#""input":1,"output":1,"tiers":[\#(tiers.joined(separator: ","))]"#)
    }

    @Test(arguments: tables)
    func `a table that is wrong says where`(text: String, expected: String) throws {
        let json = try JSON.parse(text)
        let error = #expect(throws: Diagnostics.self) { try PriceTable(json: json) }
        let found = error?.all.map { "\($0.code) \($0.pointer)\($0.suggestion.map { " \($0)" } ?? "")" }
        #expect(found == [expected])
    }

    @Test func `everything wrong is said at once`() throws {
        let json = try JSON.parse(
            #"{"versions":[{"id":"","effective":"x","models":{"p":{"m":{"input":"a","output":"b"}}}}],"more":1}"#)
        let error = #expect(throws: Diagnostics.self) { try PriceTable(json: json) }
        #expect(
            error?.all.map(\.code) == [
                "unknown_key", "missing_field", "invalid_date", "invalid_price", "invalid_price",
            ])
    }
}
