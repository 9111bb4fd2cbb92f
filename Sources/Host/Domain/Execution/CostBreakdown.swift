/// What an execution has cost so far: one line a step, whose exact sum is the total.
public struct CostBreakdown: Sendable, Hashable {
    public struct Line: Sendable, Hashable {
        public let step: String
        public let provider: String
        public let model: String?
        public fileprivate(set) var calls: Int
        public fileprivate(set) var cost: Money
    }

    public private(set) var lines: [Line] = []
    public private(set) var total = Money.zero

    public init() {}

    /// Counts one provider call.
    public mutating func add(step: String, provider: String, model: String?, cost: Money) throws(MoneyOverflow) {
        total = try total.adding(cost)
        if let index = lines.firstIndex(where: { $0.step == step && $0.provider == provider && $0.model == model }) {
            lines[index].calls += 1
            lines[index].cost = try lines[index].cost.adding(cost)
        } else {
            lines.append(Line(step: step, provider: provider, model: model, calls: 1, cost: cost))
        }
    }

    /// The API's `cost_breakdown`: amounts are decimal strings of US dollars, exact to the pico-dollar.
    public var json: JSON {
        [
            "currency": "USD", "total": .string(total.description), "ai_calls": .string(total.description),
            "steps": .array(
                lines.map { line in
                    [
                        "step": .string(line.step), "provider": .string(line.provider),
                        "model": line.model.map { .string($0) } ?? .null, "calls": .integer(Int64(line.calls)),
                        "cost": .string(line.cost.description),
                    ]
                }),
        ]
    }
}
