import Domain
import Testing

@testable import Engine

@Suite struct RunEstimateTests {
    private func estimate(
        _ plan: ExecutionPlan, _ configuration: JSON = [:], pricing: FlatPricing = FlatPricing()
    ) throws -> RunEstimate {
        let template = Template(
            slug: "t", name: "T", version: "1.0.0", description: "", author: nil, category: "c", tags: [],
            complexity: .beginner, estimatedMinutes: nil, estimatedCostMinimum: nil, estimatedCostMaximum: nil,
            inputs: [], plan: plan, source: [:])
        return try RunEstimate(
            of: template, configuration: configuration, dispatch: FakeTarget(), pricing: pricing,
            at: Timestamp(microseconds: 0))
    }

    @Test func `the price counts prompt, schema, context and output`() throws {
        let schema = AnswerSchemaFixture.envelope
        let tokens = Int64((schema.text.utf8.count + "prompt 1".utf8.count + 3) / 4)
        let estimate = try estimate(plan(.ai("1"), .ai("2", after: [0])))
        let first = try #require(estimate.steps[0].price)
        // One pico-dollar a token in, ten a token out; at most 1,000 tokens out.
        #expect(first.atMost.picoDollars == tokens + 10_000)
        #expect(first.likely.picoDollars == tokens + 3_330)
        let second = try #require(estimate.steps[1].price)
        #expect(second.atMost.picoDollars == tokens + 1_000 + 10_000)
        #expect(estimate.total.atMost.picoDollars == first.atMost.picoDollars + second.atMost.picoDollars)
    }

    @Test func `the configuration is part of the prompt`() throws {
        let plan = plan(.ai("1", prompt: "{{topic}}"))
        let long = try estimate(plan, ["topic": .string(String(repeating: "x", count: 4_000))]).total
        let short = try estimate(plan, ["topic": "x"]).total
        #expect((999...1_001).contains(long.likely.picoDollars - short.likely.picoDollars))
    }

    @Test func `steps come in the order in which they may start, system steps without a price`() throws {
        let estimate = try estimate(
            plan(.ai("late", after: [1]), .ai("early"), .system("deploy", "deploy_application", after: [0])))
        #expect(estimate.steps.map(\.id) == ["early", "late", "deploy"])
        #expect(estimate.steps[2].price == nil && estimate.steps[2].service == "deploy_application · railway")
        #expect(estimate.steps[1].dependencies == ["early"])
        #expect(estimate.steps[0].service == "claude model-1")
    }

    @Test func `a model without a price is said`() {
        let error = #expect(throws: Diagnostics.self) { try estimate(plan(.ai("1", model: "free-for-all"))) }
        #expect(error?.all.map(\.code) == ["model_not_priced"])
        #expect(error?.all.first?.message.contains("free-for-all") == true)
    }

    @Test func `a price beyond all money is said, not left out`() {
        let dear = FlatPricing(picoDollars: .max / 20_000)
        let steps = plan(.ai("1"), .ai("2"), .ai("3"))
        let error = #expect(throws: Diagnostics.self) { try estimate(steps, pricing: dear) }
        #expect(error?.all.map(\.code) == ["cost_out_of_range", "cost_out_of_range"])
    }
}
