import Domain
import Testing

@Suite struct MoneyTests {
    private static let decimals: [(String, Int64)] = [
        ("0", 0), ("8.50", 8_500_000_000_000), ("0.000000000001", 1), ("-0.000000000001", -1), ("2e-06", 2_000_000),
        ("1.25E-6", 1_250_000), ("1e-12", 1), ("10e-13", 1), ("5E+2", 500_000_000_000_000), ("00.50", 500_000_000_000),
        ("0.0000000000000000", 0), ("-0", 0), ("0e30", 0), ("9223372.036854775807", Int64.max),
        ("1.000000000000000", 1_000_000_000_000),
    ]

    @Test(arguments: decimals)
    func `decimal texts are read exactly`(text: String, picoDollars: Int64) {
        #expect(Money(decimal: text) == Money(picoDollars: picoDollars))
    }

    @Test(arguments: [
        "", " 1", "1 ", ".5", "5.", "1.2.3", "1e", "e5", "1e1e1", "1e31", "1e-31", "+1", "--1", "0x10", "1,5", "１",
        "NaN",
        "1e-13", "0.0000000000001", "9223372.036854775808", "9223373", "1e30", "99999999999999999999999999",
    ])
    func `what is not a decimal, too fine or too large is refused`(text: String) {
        #expect(Money(decimal: text) == nil)
    }

    private static let printed: [(Int64, String)] = [
        (0, "0.00"), (12_500_000_000_000, "12.50"), (1, "0.000000000001"), (-1, "-0.000000000001"),
        (123_000_000, "0.000123"), (-8_500_000_000_000, "-8.50"), (Int64.max, "9223372.036854775807"),
        (Int64.min, "-9223372.036854775808"),
    ]

    @Test(arguments: printed)
    func `amounts print exactly`(picoDollars: Int64, text: String) {
        #expect(Money(picoDollars: picoDollars).description == text)
    }

    @Test func `what prints reads back`() {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<1_000 {
            let shift = Int64.random(in: 0..<60, using: &random)
            let money = Money(picoDollars: Int64.random(in: -Int64.max...Int64.max, using: &random) >> shift)
            #expect(Money(decimal: money.description) == money)
        }
    }

    @Test func `overflow is an error in both directions`() throws {
        let most = Money(picoDollars: .max)
        let least = Money(picoDollars: .min)
        let one = Money(picoDollars: 1)
        #expect(throws: MoneyOverflow.self) { try most.adding(one) }
        #expect(throws: MoneyOverflow.self) { try least.adding(Money(picoDollars: -1)) }
        #expect(throws: MoneyOverflow.self) { try most.times(2) }
        #expect(throws: MoneyOverflow.self) { try least.times(-1) }
        #expect(try most.adding(.zero) == most)
        #expect(try one.times(.max) == most)
        #expect(least < one)
    }
}
