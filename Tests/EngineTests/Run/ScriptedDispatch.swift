import Domain
import Synchronization

/// Providers that answer as a test says, by the prompt or parameters they are given.
final class ScriptedDispatch: Dispatch {
    typealias Script =
        @Sendable (Invocation, @Sendable (CallChunk) async -> Void) async throws(ProviderError) -> JSON

    private let script: Script
    private let isMetered: Bool
    private let seen = Mutex<[Invocation]>([])

    init(isMetered: Bool = true, _ script: @escaping Script) {
        self.script = script
        self.isMetered = isMetered
    }

    let routes: [RouteKey] = [.aiProvider("claude"), .command("deploy_application", provider: "core")]

    func route(for key: RouteKey) -> Route? {
        guard routes.contains(key) else { return nil }
        return Route(
            pluginID: "claude", pluginVersion: "1.0.0", operation: "ai.generate", defaultModel: "model-1",
            ledgerName: "claude", isMetered: isMetered)
    }

    var invocations: [Invocation] { seen.withLock { $0 } }

    func invoke(
        _ invocation: Invocation, onChunk: @Sendable (CallChunk) async -> Void
    ) async throws(ProviderError) -> JSON {
        seen.withLock { $0.append(invocation) }
        return try await script(invocation, onChunk)
    }
}

extension Invocation {
    /// The text of the one message sent.
    var prompt: String { input["messages"]?.arrayValue?.first?["content"]?.stringValue ?? "" }
}

/// An `ai.generate` result with a valid envelope.
func answer(_ summary: String, fields: [String: JSON] = [:], input: Int64 = 10, output: Int64 = 5) -> JSON {
    var structured: JSON = ["summary": .string(summary), "files": []]
    for (key, value) in fields { structured.set(key, value) }
    return [
        "text": "", "structured": structured, "model": "model-1", "stop_reason": "end_turn",
        "usage": ["input_tokens": .integer(input), "output_tokens": .integer(output)],
        "raw_usage": ["input_tokens": .integer(input)], "provider_request_id": "req_1",
    ]
}

/// One pico-dollar a token in, ten a token out; only for `model-1`.
struct FlatPricing: Pricing {
    /// Of a token in.
    var picoDollars: Int64 = 1

    func price(
        _ usage: TokenUsage, provider: String, model: String, at time: Timestamp
    ) throws(MoneyOverflow) -> PricedUsage? {
        guard hasPrice(provider: provider, model: model, at: time) else { return nil }
        let cost = Money(picoDollars: picoDollars * (usage.totalInput + 10 * usage.output))
        return PricedUsage(cost: cost, version: "test")
    }

    func hasPrice(provider: String, model: String, at time: Timestamp) -> Bool { model == "model-1" }
}

/// Waits until as many have come as it was made for, then lets all of them go at once.
actor Barrier {
    private let size: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ size: Int) { self.size = size }

    func arrive() async {
        await withCheckedContinuation { continuation in
            waiting.append(continuation)
            guard waiting.count == size else { return }
            for waiter in waiting { waiter.resume() }
            waiting = []
        }
    }
}
