import Domain
import Testing

@Suite struct TokenUsageTests {
    @Test func `reads back as it was written; absent classes are zero`() {
        let usage = TokenUsage(input: 1, output: 2, cacheRead: 3, cacheWrite5m: 4, cacheWrite1h: 5)
        #expect(TokenUsage(usage.json) == usage)
        #expect(usage.totalInput == 13)
        #expect(TokenUsage(["output_tokens": 9, "more": "ignored"]) == TokenUsage(output: 9))
    }

    private static let refused: [JSON] = [
        JSON.null, [1], ["input_tokens": -1], ["input_tokens": "1"], ["output_tokens": .decimal("1.5")],
        ["cache_read_tokens": 1_000_000_000_001], ["input_tokens": .null],
    ]

    @Test(arguments: refused)
    func `what is not a count of tokens is refused`(json: JSON) {
        #expect(TokenUsage(json) == nil)
    }
}
