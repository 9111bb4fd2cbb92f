public import Domain

/// What a run will probably cost at its AI providers, and what it can cost at most, before it starts.
///
/// Nothing of the run is known yet, so tokens are reckoned from bytes: four bytes a token, and a model that writes a
/// third of what it may. The bound assumes that every answer is as long as it may be. Both are for one attempt at each
/// step.
public struct RunEstimate: Sendable, Hashable {
    public struct Step: Sendable, Hashable {
        public let id: String
        public let name: String
        /// The provider, and the model where there is one.
        public let service: String
        /// The steps it waits for, by `step_id`.
        public let dependencies: [String]
        public let isOptional: Bool
        public let timeout: Duration
        /// Probable and highest price; nil for steps that no AI provider bills.
        public let price: Price?
    }

    public struct Price: Sendable, Hashable {
        public var likely: Money
        public var atMost: Money
    }

    /// In the order in which they may start, those of the same wave by the template's order.
    public let steps: [Step]
    public let total: Price

    static let bytesPerToken: Int64 = 4
    /// A third of what it may write.
    static let likelyShare: Int64 = 3

    /// - Parameter configuration: checked against the template's inputs already.
    /// - Throws: `Diagnostics` where a model has no price, as admission does.
    public init(
        of template: Template, configuration: JSON, dispatch: any Dispatch, pricing: any Pricing, at time: Timestamp
    ) throws(Diagnostics) {
        let plan = template.plan
        let reckoning = Reckoning(plan: plan, configuration: configuration)
        var faults: [Diagnostic] = []
        var total = Price(likely: .zero, atMost: .zero)
        var steps: [Step] = []
        for index in plan.startOrder {
            let step = plan.steps[index]
            let route = dispatch.route(for: step.routeKey)
            var service = step.routeKey.providerName
            var price: Price?
            if case .ai(let action) = step.action, let route {
                let model = action.model ?? route.defaultModel
                service += model.map { " \($0)" } ?? ""
                if route.isMetered {
                    price = Self.price(reckoning.usage(of: index), route, model, pricing, time)
                    if price == nil {
                        faults.append(
                            Diagnostic(
                                code: "model_not_priced",
                                message: ExecutionError.unpricedModel(model, step: step.name).message,
                                pointer: "/template/execution_steps/\(index)/model"))
                    }
                }
            } else if case .system(let action) = step.action {
                service = "\(action.command) · \(service)"
            }
            if let price, let sum = total.adding(price) {
                total = sum
            } else if price != nil {
                faults.append(
                    Diagnostic(
                        code: "cost_out_of_range", message: ExecutionError.moneyOverflow.message,
                        pointer: "/template/execution_steps/\(index)"))
            }
            steps.append(
                Step(
                    id: step.id, name: step.name, service: service,
                    dependencies: step.dependencies.map { plan.steps[$0].id }, isOptional: step.isOptional,
                    timeout: step.timeout, price: price))
        }
        guard faults.isEmpty else { throw Diagnostics(faults) }
        self.steps = steps
        self.total = total
    }

    private static func price(
        _ usage: (likely: TokenUsage, atMost: TokenUsage), _ route: Route, _ model: String?, _ pricing: any Pricing,
        _ time: Timestamp
    ) -> Price? {
        guard let model else { return nil }
        func cost(_ usage: TokenUsage) -> Money? {
            (try? pricing.price(usage, provider: route.ledgerName, model: model, at: time))?.cost
        }
        guard let likely = cost(usage.likely), let atMost = cost(usage.atMost) else { return nil }
        return Price(likely: likely, atMost: atMost)
    }
}

extension RunEstimate.Price {
    fileprivate func adding(_ other: Self) -> Self? {
        guard let likely = try? likely.adding(other.likely), let atMost = try? atMost.adding(other.atMost) else {
            return nil
        }
        return Self(likely: likely, atMost: atMost)
    }
}

/// Tokens that the steps of a plan will take in and give out.
private struct Reckoning {
    let plan: ExecutionPlan
    let configuration: JSON

    func usage(of index: Int) -> (likely: TokenUsage, atMost: TokenUsage) {
        guard case .ai(let action) = plan.steps[index].action else { return (TokenUsage(), TokenUsage()) }
        let own = tokens(inPromptOf: action)
        var (likely, atMost) = (own, own)
        for dependency in plan.steps[index].dependencies {
            guard case .ai(let earlier) = plan.steps[dependency].action else { continue }
            likely += earlier.maximumOutputTokens / RunEstimate.likelyShare
            atMost += earlier.maximumOutputTokens
        }
        return (
            TokenUsage(input: likely, output: action.maximumOutputTokens / RunEstimate.likelyShare),
            TokenUsage(input: atMost, output: action.maximumOutputTokens)
        )
    }

    /// What references to earlier answers bring is in the context already.
    private func tokens(inPromptOf action: AIAction) -> Int64 {
        let scope = ReferenceScope(configuration: configuration, deploymentConfig: plan.deploymentConfig)
        var bytes = (action.system ?? "").utf8.count + action.answerSchema.text.utf8.count
        for segment in ReferenceScan(action.promptTemplate).segments {
            switch segment {
            case .text(let text): bytes += text.utf8.count
            case .reference(let reference): bytes += scope[reference.path]?.text.utf8.count ?? 0
            }
        }
        return (Int64(bytes) + RunEstimate.bytesPerToken - 1) / RunEstimate.bytesPerToken
    }
}

extension ExecutionPlan {
    /// The steps in the order in which they may start when each takes as long as any other.
    var startOrder: [Int] {
        var waves = [Int?](repeating: nil, count: steps.count)
        var changed = true
        while changed {
            changed = false
            for index in steps.indices where waves[index] == nil {
                let needed = steps[index].dependencies.map { waves[$0] }
                guard needed.allSatisfy({ $0 != nil }) else { continue }
                waves[index] = (needed.compactMap { $0 }.max() ?? -1) + 1
                changed = true
            }
        }
        return steps.indices.sorted { (waves[$0] ?? .max, $0) < (waves[$1] ?? .max, $1) }
    }
}
