import Domain
import Testing

@testable import Engine

@Suite struct RunStateTests {
    @Test func stepsStartWhenAllTheirDependenciesHaveEnded() {
        var state = RunState(
            plan: plan(.ai("1"), .ai("2"), .ai("3", after: [0, 1]), .ai("4", after: [2])), finished: [:], progress: 0)
        #expect(state.takeStartable() == [0, 1])
        #expect(state.takeStartable() == [])
        #expect(state.currentStep == "Step 1")
        state.end(1, .succeeded)
        #expect(state.takeStartable() == [])
        state.end(0, .failedOptional)
        #expect(state.takeStartable() == [2])
        #expect(state.progress() == 50)
        state.end(2, .skipped)
        #expect(state.takeStartable() == [3])
        state.end(3, .succeeded)
        #expect(state.verdict == .completed && state.progress() == 100)
    }

    @Test func nothingStartsAfterAFailure() {
        var state = RunState(plan: plan(.ai("1"), .ai("2"), .ai("3", after: [1])), finished: [:], progress: 0)
        _ = state.takeStartable()
        state.end(0, .failed)
        state.end(1, .succeeded)
        #expect(state.takeStartable() == [])
        #expect(state.verdict == .failed(step: 0))
        #expect(state.progress() < 100)
    }

    @Test func progressNeverFallsBelowWhatWasReported() {
        var state = RunState(plan: plan(.ai("1"), .ai("2")), finished: [:], progress: 80)
        #expect(state.progress() == 80)
    }

    @Test(arguments: [(1, 0.0, 250), (1, 1.0, 500), (2, 1.0, 1_000), (8, 1.0, 30_000)])
    func delaysGrowToABound(attempt: Int, jitter: Double, milliseconds: Int) {
        let error = ProviderError(.upstream, "", isRetryable: true)
        #expect(
            RetryPolicy().delay(after: error, attempt: attempt, of: 10, jitter: jitter) == .milliseconds(milliseconds))
    }

    @Test func whatCannotHelpIsNotRepeated() {
        let policy = RetryPolicy()
        let retryable = ProviderError(.upstream, "", isRetryable: true)
        #expect(policy.delay(after: retryable, attempt: 3, of: 3, jitter: 1) == nil)
        #expect(policy.delay(after: ProviderError(.invalid, ""), attempt: 1, of: 3, jitter: 1) == nil)
        let patient = ProviderError(.limit, "", isRetryable: true, retryAfter: .seconds(301))
        #expect(policy.delay(after: patient, attempt: 1, of: 3, jitter: 1) == nil)
    }

    @Test func durationsAreReadable() {
        #expect(Duration.seconds(300).inMinutes == "5")
        #expect(Duration.seconds(15).inMinutes == "0.25")
        #expect(Duration.seconds(3).inMinutes == "0.05")
        #expect(Duration.milliseconds(2_460).inSeconds == "2.5")
    }
}
