import Domain
import Testing

@Suite struct CostBreakdownTests {
    @Test func `the total is the exact sum of its lines`() throws {
        var random = SeededGenerator(seed: 3)
        var costs = CostBreakdown()
        var expected: Int64 = 0
        for number in 0..<500 {
            let amount = Int64.random(in: 0..<10_000_000_000, using: &random)
            expected += amount
            try costs.add(
                step: "step \(number % 7)", provider: "claude", model: number % 3 == 0 ? nil : "m\(number % 2)",
                cost: Money(picoDollars: amount))
        }
        #expect(costs.total == Money(picoDollars: expected))
        #expect(costs.lines.reduce(0) { $0 + $1.cost.picoDollars } == expected)
        #expect(costs.lines.reduce(0) { $0 + $1.calls } == 500)
        #expect(Set(costs.lines.map { "\($0.step) \($0.model ?? "")" }).count == costs.lines.count)
    }

    @Test func `the API's form is exact decimal text`() throws {
        var costs = CostBreakdown()
        try costs.add(step: "Draft", provider: "claude", model: "m", cost: Money(picoDollars: 1))
        try costs.add(step: "Draft", provider: "claude", model: "m", cost: Money(picoDollars: 2_500_000_000_000))
        #expect(costs.json["total"] == "2.500000000001")
        #expect(
            costs.json["steps"] == [
                ["step": "Draft", "provider": "claude", "model": "m", "calls": 2, "cost": "2.500000000001"]
            ])
    }

    @Test func `overflow changes nothing`() throws {
        var costs = CostBreakdown()
        try costs.add(step: "a", provider: "p", model: nil, cost: Money(picoDollars: .max))
        let before = costs
        #expect(throws: MoneyOverflow.self) {
            try costs.add(step: "b", provider: "p", model: nil, cost: Money(picoDollars: 1))
        }
        #expect(costs == before)
    }
}
