import Domain
import Logging
import Metrics
import Synchronization

extension StepRunner {
    /// One metered provider call: its row is durable before it is sent, and its settlement is reported whatever
    /// becomes of it.
    func call(
        _ route: Route, model: String?, input: JSON, attempt: Int
    ) async throws(StepFailure) -> AIExchange.Answer {
        let id = UUIDv7(at: services.clock.wall.now())
        try await open(ProviderCall(id: id, stepID: step.id, attempt: attempt, route: route, model: model))
        let startedAt = services.clock.instant()
        let reported = LatestUsage()
        do throws(ProviderError) {
            let result = try await invoke(route, id, input: input, attempt: attempt) { chunk in
                if case .usage(let usage) = chunk { reported.replace(usage) }
            }
            let answer = AIExchange.Answer(result)
            guard let usage = answer.usage else {
                throw ProviderError(.internal, "the plugin \(route.pluginID) gave no valid usage")
            }
            settle(
                id, route, asked: model, state: .settled, model: answer.model, usage: usage,
                rawUsage: answer.rawUsage, latency: services.clock.instant() - startedAt, error: nil,
                requestID: answer.providerRequestID)
            return answer
        } catch {
            settle(
                id, route, asked: model, state: error.settlement(reported: reported.value), model: nil,
                usage: error.usage ?? reported.value, rawUsage: error.rawUsage,
                latency: services.clock.instant() - startedAt, error: error, requestID: error.providerRequestID)
            throw StepFailure(error)
        }
    }

    private func open(_ call: ProviderCall) async throws(StepFailure) {
        let outcome = try await durably { () throws(LedgerError) in
            try await services.ledger.open(call, fence: fence)
        }
        guard outcome != .fenced else { throw .stop(.fenced) }
    }

    /// Prices a call at the time it was made, and reports it. What cannot be priced is not invented: the call is
    /// `unknown`, and the operator is told.
    private func settle(
        _ id: UUIDv7, _ route: Route, asked: String?, state: SettlementState, model: String?, usage: TokenUsage?,
        rawUsage: JSON, latency: Duration, error: ProviderError?, requestID: String?
    ) {
        Timer(
            label: "ai_api_request_duration_seconds",
            dimensions: [("provider", route.ledgerName), ("outcome", error?.code.rawValue ?? "ok")]
        ).recordNanoseconds(latency.microseconds * 1_000)
        var (state, priced): (SettlementState, PricedUsage?) = (state, nil)
        if route.isMetered, let usage {
            for name in [model, asked].compactMap({ $0 }) where priced == nil {
                priced = try? services.pricing.price(usage, provider: route.ledgerName, model: name, at: id.timestamp)
            }
            if priced == nil {
                state = .unknown
                services.logger.error(
                    "a call's usage has no price",
                    metadata: ["call": "\(id)", "model": "\(model ?? asked ?? "?")", "usage": "\(usage.json.text)"])
            }
        }
        let settlement = CallSettlement(
            id: id, state: state, model: model ?? asked, usage: usage, rawUsage: rawUsage,
            cost: priced?.cost ?? .zero, priceVersion: priced?.version, latency: latency, error: error,
            providerRequestID: requestID)
        report(.settled(settlement, step: step.name, provider: route.ledgerName))
    }
}

extension ProviderError {
    /// How exactly a failed call's consumption is known. A provider that answered with an error status took nothing;
    /// one that was cut off may have taken what nobody told.
    fileprivate func settlement(reported: TokenUsage?) -> SettlementState {
        if usage != nil, isUsageFinal { return .settled }
        if usage ?? reported != nil { return .estimated }
        return (status ?? 0) >= 400 ? .settled : .unknown
    }
}

/// The last consumption a plugin reported for a call.
private final class LatestUsage: Sendable {
    private let usage = Mutex<TokenUsage?>(nil)
    func replace(_ value: TokenUsage) { usage.withLock { $0 = value } }
    var value: TokenUsage? { usage.withLock { $0 } }
}

extension ExecutionError {
    static func unpricedModel(_ model: String?, step: String) -> ExecutionError {
        ExecutionError(
            code: "model_not_priced",
            message: model.map { "the price table has no price for the model \"\($0)\"" }
                ?? "the step names no model and its provider has no default",
            step: step, isRetryable: false, action: "name a priced model in the step's \"model\"")
    }

    static func invalidAnswer(_ faults: [String], step: String) -> ExecutionError {
        ExecutionError(
            code: "invalid_answer",
            message: "the model's answer does not fit the required form: \(faults.prefix(3).joined(separator: "; "))",
            step: step, isRetryable: true, action: "start the run again, or make the step's prompt more precise")
    }
}
