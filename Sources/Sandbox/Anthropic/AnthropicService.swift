import Domain
import Synchronization

/// The model behind the simulator: what it answers, and what that consumes.
final class AnthropicService: Sendable {
    private let fixtures: AnswerFixtures
    private let cache: PromptCache
    private let lastMessage = Atomic<Int>(0)

    init(fixtures: AnswerFixtures, wallClock: any WallClock) {
        self.fixtures = fixtures
        cache = PromptCache(wallClock: wallClock)
    }

    func inputTokens(of request: MessagesRequest) -> Int {
        blocks(of: request).reduce(0) { $0 + TokenCount.tokens(in: $1.text) }
    }

    /// - Parameters:
    ///   - key: tells the caches of different accounts apart; it is hashed and not kept.
    ///   - flaw: what is to be wrong with the answer.
    func answer(_ request: MessagesRequest, key: String, flaw: AnswerFlaw? = nil) -> MessageAnswer {
        let number = lastMessage.add(1, ordering: .relaxed).newValue
        var text = AnswerText.make(
            prompt: request.prompt, question: request.question, schema: request.outputSchema, fixtures: fixtures,
            flaw: flaw)
        var stopReason = "end_turn"
        var stopSequence: String?
        if let (sequence, range) = request.stopSequences.compactMap({ sequence in
            text.firstRange(of: sequence).map { (sequence, $0) }
        }).min(by: { $0.1.lowerBound < $1.1.lowerBound }) {
            text = String(text[..<range.lowerBound])
            (stopReason, stopSequence) = ("stop_sequence", sequence)
        }
        if let limit = request.maximumTokens, TokenCount.tokens(in: text) > limit {
            text = TokenCount.prefix(of: text, tokens: limit)
            (stopReason, stopSequence) = ("max_tokens", nil)
        }
        return MessageAnswer(
            id: "msg_sandbox_\(number)", model: request.model, text: text, stopReason: stopReason,
            stopSequence: stopSequence, consumption: cache.consume(blocks(of: request), scope: [key, request.model]))
    }

    /// What the model reads. The schema comes first, as it does there: another schema is another prefix.
    private func blocks(of request: MessagesRequest) -> [MessagesRequest.Block] {
        guard let schema = request.outputSchema else { return request.blocks }
        return [MessagesRequest.Block(role: "schema", text: schema.text, cacheLifetime: nil)] + request.blocks
    }
}
