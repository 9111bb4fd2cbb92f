import Domain
import Synchronization

/// The model behind the simulator: what it answers, and what that consumes.
final class OpenAIService: Sendable {
    /// What a model thinks before it answers, unless it is asked not to.
    static let reasoningTokens = 64

    private let fixtures: AnswerFixtures
    private let cache: PrefixCache
    private let wallClock: any WallClock
    private let lastResponse = Atomic<Int>(0)

    init(fixtures: AnswerFixtures, wallClock: any WallClock) {
        self.fixtures = fixtures
        self.wallClock = wallClock
        cache = PrefixCache(wallClock: wallClock)
    }

    func inputTokens(of request: ResponsesRequest) -> Int {
        parts(of: request).reduce(0) { $0 + TokenCount.tokens(in: $1.text) }
    }

    /// - Parameters:
    ///   - key: tells the caches of different accounts apart; it is hashed and not kept.
    ///   - flaw: what is to be wrong with the answer.
    func answer(_ request: ResponsesRequest, key: String, flaw: AnswerFlaw? = nil) -> ResponseAnswer {
        let number = lastResponse.add(1, ordering: .relaxed).newValue
        var text = AnswerText.make(
            prompt: request.prompt, question: request.question, schema: request.outputSchema, fixtures: fixtures,
            flaw: flaw)
        var reasoning = request.thinks ? Self.reasoningTokens : 0
        var isCutOff = false
        if let limit = request.maximumOutputTokens {
            reasoning = min(reasoning, limit)
            isCutOff = TokenCount.tokens(in: text) > limit - reasoning
            text = TokenCount.prefix(of: text, tokens: limit - reasoning)
        }
        var consumption = cache.consume(parts(of: request), scope: [key, request.model])
        if !OpenAIModels.chargesCacheWrites(request.model) { consumption.written = 0 }
        return ResponseAnswer(
            number: number, request: request, createdAt: wallClock.now().microseconds / 1_000_000, text: text,
            isCutOff: isCutOff, reasoningTokens: reasoning, consumption: consumption)
    }

    /// What the model reads. The schema comes first, as it does there: another schema is another prefix.
    private func parts(of request: ResponsesRequest) -> [ResponsesRequest.Part] {
        guard let schema = request.outputSchema else { return request.parts }
        return [ResponsesRequest.Part(role: "schema", text: schema.text)] + request.parts
    }
}
