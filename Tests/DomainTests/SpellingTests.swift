import Domain
import Testing

@Suite struct SpellingTests {
    @Test(arguments: [
        ("emial", "email"), ("Email", "email"), ("pasword", "password"), ("subscriptiontier", "subscription_tier"),
        ("subscription", nil), ("zebra", nil), ("x", nil), ("email", nil),
    ])
    func findsWhatWasMeant(word: String, nearest: String?) {
        #expect(Spelling.nearest(to: word, among: ["email", "password", "subscription_tier"]) == nearest)
    }

    @Test func theNearestWinsAndOfTwoTheFirst() {
        #expect(Spelling.nearest(to: "steps_", among: ["stops", "steps"]) == "steps")
        #expect(Spelling.nearest(to: "stop", among: ["step", "shop"]) == "step")
    }

    /// The work is bounded by the words' beginnings: comparing these two in full would take 10¹² entries.
    @Test(.timeLimit(.minutes(1))) func wordsOfAnyLengthAreCompared() {
        let long = String(repeating: "e", count: 1_000_000)
        #expect(Spelling.nearest(to: long, among: ["email", String(repeating: "f", count: 1_000_000)]) == nil)
        #expect(Spelling.nearest(to: "email", among: [long]) == nil)
    }
}
