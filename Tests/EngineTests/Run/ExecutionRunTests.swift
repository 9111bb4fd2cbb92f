import Domain
import Testing

@testable import Engine

@Suite struct ExecutionRunTests {
    @Test func independentStepsRunAtTheSameTimeAndTheirDependentGetsBothOutputs() async throws {
        let fixture = RunFixture()
        let barrier = Barrier(2)
        let dispatch = ScriptedDispatch { invocation, _ in
            // Neither of the first two answers before both were asked.
            if !invocation.prompt.contains("prompt 3") { await barrier.arrive() }
            return answer("answer to [\(invocation.prompt.suffix(8))]")
        }
        try await fixture.run(.fresh(plan: plan(.ai("1"), .ai("2"), .ai("3", after: [0, 1]))), dispatch)

        let third = try #require(dispatch.invocations.last).prompt
        #expect(third.contains("answer to [prompt 1]") && third.contains("answer to [prompt 2]"))
        #expect(fixture.ledger.ending?.state == .completed)
        #expect(fixture.ledger.records.map(\.state) == [.succeeded, .succeeded, .succeeded])
        #expect(fixture.ledger.lines.map(\.sequence) == Array(1...Int64(fixture.ledger.lines.count)))
        let progress = fixture.ledger.checkpoints.map(\.progress)
        #expect(progress == progress.sorted() && progress.last == 100)
        #expect(progress.dropLast().allSatisfy { $0 < 100 })
    }

    @Test func everyCallIsOpenedBeforeItIsSentAndCostIsTheExactSum() async throws {
        let fixture = RunFixture()
        let ledger = fixture.ledger
        let dispatch = ScriptedDispatch { invocation, _ in
            #expect(ledger.opened.contains { $0.id == invocation.callID })
            return answer("", input: 7, output: 3)
        }
        try await fixture.run(.fresh(plan: plan(.ai("1"), .ai("2", after: [0]))), dispatch)
        #expect(ledger.settlements.map(\.cost.picoDollars) == [37, 37])
        #expect(ledger.settlements.allSatisfy { $0.state == .settled && $0.priceVersion == "test" })
        #expect(ledger.checkpoints.last?.cost.total == Money(picoDollars: 74))
        #expect(ledger.checkpoints.last?.cost.lines.map(\.calls) == [1, 1])
    }

    @Test func retryAfterIsObeyedAndEachAttemptIsMetered() async throws {
        let fixture = RunFixture()
        let dispatch = ScriptedDispatch { invocation, _ throws(ProviderError) in
            guard invocation.attempt > 1 else {
                throw ProviderError(
                    .limit, "slow down", isRetryable: true, retryAfter: .seconds(7), status: 429)
            }
            return answer("done")
        }
        try await fixture.run(.fresh(plan: plan(.ai("1"))), dispatch)
        #expect(fixture.clock.sleeps == [.seconds(7)])
        #expect(fixture.ledger.opened.map(\.attempt) == [1, 2])
        #expect(Set(dispatch.invocations.map(\.idempotencyKey)).count == 1)
        #expect(fixture.ledger.settlements.map(\.error?.status) == [429, nil])
        #expect(fixture.ledger.records.map(\.attempts) == [2])
        #expect(fixture.ledger.ending?.state == .completed)
    }

    @Test func backOffDoublesAndEndsWithTheLastAttempt() async throws {
        let fixture = RunFixture()
        let dispatch = ScriptedDispatch { _, _ throws(ProviderError) in
            throw ProviderError(.upstream, "secret detail", isRetryable: true, status: 529)
        }
        try await fixture.run(.fresh(plan: plan(.ai("1"))), dispatch)
        #expect(fixture.clock.sleeps == [.milliseconds(500), .seconds(1)])
        let error = try #require(fixture.ledger.ending?.error)
        #expect(error.code == "provider_overloaded" && error.step == "Step 1" && error.isRetryable)
        #expect(error.message.contains("after 3 attempts"))
        #expect(!fixture.ledger.lines.contains { $0.message.contains("secret detail") })
    }

    @Test func aFinalErrorEndsTheRunAndCutsItsSiblingWithAnEstimate() async throws {
        let fixture = RunFixture()
        let barrier = Barrier(2)
        let dispatch = ScriptedDispatch { invocation, onChunk throws(ProviderError) in
            if invocation.prompt.contains("prompt 1") {
                await barrier.arrive()
                throw ProviderError(.denied, "bad key", status: 401)
            }
            await onChunk(.usage(TokenUsage(input: 100, output: 1)))
            await barrier.arrive()
            let (never, keep) = AsyncStream.makeStream(of: Void.self)
            for await _ in never {}
            withExtendedLifetime(keep) {}
            throw ProviderError(.cancelled, "cancelled")
        }
        try await fixture.run(.fresh(plan: plan(.ai("1"), .ai("2"), .ai("3", after: [1]))), dispatch)
        let ending = try #require(fixture.ledger.ending)
        #expect(ending.state == .failed && ending.error?.code == "provider_denied" && ending.result == .null)
        #expect(fixture.ledger.records.map(\.stepID) == ["1"])
        let cut = try #require(fixture.ledger.settlements.first { $0.error?.code == .cancelled })
        #expect(cut.state == .estimated && cut.cost == Money(picoDollars: 110))
        #expect(dispatch.invocations.count == 2)
    }

    @Test func anAnswerThatDoesNotFitIsAskedForOnceMoreWithItsFaults() async throws {
        let fixture = RunFixture()
        let dispatch = ScriptedDispatch { invocation, _ in
            invocation.attempt == 1 ? answer("x", fields: ["files": "none"]) : answer("x")
        }
        try await fixture.run(.fresh(plan: plan(.ai("1"))), dispatch)
        #expect(fixture.ledger.ending?.state == .completed)
        #expect(dispatch.invocations[1].prompt.contains("did not fit"))
        #expect(dispatch.invocations[1].prompt.contains("/files"))

        let stubborn = RunFixture()
        let always = ScriptedDispatch { _, _ in answer("x", fields: ["extra": 1]) }
        try await stubborn.run(.fresh(plan: plan(.ai("1", attempts: 5))), always)
        #expect(always.invocations.count == 2)
        #expect(stubborn.ledger.ending?.error?.code == "invalid_answer")
    }

    @Test func anOptionalStepMayFailOrBeSkipped() async throws {
        let fixture = RunFixture()
        let dispatch = ScriptedDispatch { invocation, _ throws(ProviderError) in
            if invocation.prompt.contains("prompt 1") { throw ProviderError(.invalid, "no", status: 400) }
            return answer("fine")
        }
        try await fixture.run(
            .fresh(
                plan: plan(
                    .ai("1", optional: true), .ai("2", after: [0], prompt: "{{out_1}}", optional: true),
                    .ai("3", after: [0, 1]))),
            dispatch)
        #expect(fixture.ledger.records.map(\.state) == [.failedOptional, .skipped, .succeeded])
        #expect(fixture.ledger.ending?.state == .completed)
    }

    @Test func aResumedRunRepeatsNoFinishedStepAndCountsWhatWasSpent() async throws {
        let fixture = RunFixture()
        let done = StepRecord(
            stepID: "1", name: "Step 1", state: .succeeded, output: ["summary": "before the crash", "files": []],
            error: nil, attempts: 1, startedAt: fixture.clock.now(), finishedAt: fixture.clock.now())
        let past = ClaimedExecution.PastCall(
            stepID: "1", provider: "claude", model: "model-1", attempt: 1, state: .settled,
            cost: Money(picoDollars: 1_000))
        let lost = ClaimedExecution.PastCall(
            stepID: "2", provider: "claude", model: "model-1", attempt: 1, state: .unknown, cost: .zero)
        let dispatch = ScriptedDispatch { _, _ in answer("after", input: 1, output: 0) }
        try await fixture.run(
            .fresh(
                plan: plan(.ai("1"), .ai("2", after: [0])), finished: [done], calls: [past, lost], progress: 50,
                nextLogSequence: 8),
            dispatch)
        #expect(dispatch.invocations.map(\.attempt) == [2])
        #expect(dispatch.invocations.first?.prompt.contains("before the crash") == true)
        #expect(fixture.ledger.checkpoints.last?.cost.total == Money(picoDollars: 1_001))
        #expect(fixture.ledger.lines.first?.sequence == 8)
        #expect(fixture.ledger.ending?.result["out_1"]?["summary"] == "before the crash")
    }

    @Test func aRunWhoseStepsAreAllDoneOnlyEnds() async throws {
        let fixture = RunFixture()
        let done = StepRecord(
            stepID: "1", name: "Step 1", state: .succeeded, output: ["summary": "s", "files": []], error: nil,
            attempts: 1, startedAt: fixture.clock.now(), finishedAt: fixture.clock.now())
        let dispatch = ScriptedDispatch { _, _ in answer("never") }
        try await fixture.run(.fresh(plan: plan(.ai("1")), finished: [done]), dispatch)
        #expect(dispatch.invocations.isEmpty)
        #expect(fixture.ledger.ending?.state == .completed)
    }

    @Test func aRunLetGoAfterItsStepFailedEndsAsFailed() async throws {
        let fixture = RunFixture()
        let reason = ExecutionError(
            code: "provider_denied", message: "m", step: "Step 1", isRetryable: false, action: "a")
        let failed = StepRecord(
            stepID: "1", name: "Step 1", state: .failed, output: .null, error: reason, attempts: 1,
            startedAt: fixture.clock.now(), finishedAt: fixture.clock.now())
        let dispatch = ScriptedDispatch { _, _ in answer("never") }
        try await fixture.run(.fresh(plan: plan(.ai("1"), .ai("2")), finished: [failed]), dispatch)
        #expect(fixture.ledger.ending?.state == .failed)
        #expect(fixture.ledger.ending?.error == reason)
        #expect(dispatch.invocations.isEmpty)
    }

    @Test func aStepThatTakesItsHostDownEachTimeFailsInTheEnd() async throws {
        func lost(_ attempts: Int) -> [ClaimedExecution.PastCall] {
            (1...attempts).map { number in
                ClaimedExecution.PastCall(
                    stepID: "1", provider: "claude", model: "model-1", attempt: number, state: .unknown, cost: .zero)
            }
        }
        let fixture = RunFixture()
        let dispatch = ScriptedDispatch { _, _ in answer("x") }
        try await fixture.run(.fresh(plan: plan(.ai("1")), calls: lost(4)), dispatch)
        #expect(fixture.ledger.ending?.state == .completed && dispatch.invocations.map(\.attempt) == [5])

        let last = RunFixture()
        try await last.run(.fresh(plan: plan(.ai("1")), calls: lost(5)), dispatch)
        #expect(last.ledger.ending?.error?.code == "step_lost" && dispatch.invocations.count == 1)
    }

    @Test func aFailedCallIsBilledAsExactlyAsItsProviderToldIt() async throws {
        let fixture = RunFixture()
        let usage = TokenUsage(input: 100, output: 7)
        let dispatch = ScriptedDispatch { invocation, onChunk throws(ProviderError) in
            switch invocation.attempt {
            case 1: throw ProviderError(.upstream, "busy", isRetryable: true, status: 529)
            case 2:
                await onChunk(.usage(TokenUsage(input: 100, output: 1)))
                throw ProviderError(.upstream, "cut", isRetryable: true)
            case 3: throw ProviderError(.upstream, "reset", isRetryable: true)
            default:
                throw ProviderError(
                    .limit, "too long", usage: usage, rawUsage: ["output_tokens": 7], isUsageFinal: true)
            }
        }
        try await fixture.run(.fresh(plan: plan(.ai("1", attempts: 9))), dispatch)
        let settlements = fixture.ledger.settlements
        #expect(settlements.map(\.state) == [.settled, .estimated, .unknown, .settled])
        #expect(settlements.map(\.cost.picoDollars) == [0, 110, 0, 170])
        #expect(settlements.last?.rawUsage == ["output_tokens": 7])
        #expect(fixture.ledger.checkpoints.last?.cost.total == Money(picoDollars: 280))
    }
}
