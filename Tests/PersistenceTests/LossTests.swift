import Domain
import Testing

@testable import Persistence

/// What is written where hosts are lost or runs fail, and what the next owner reads of it.
@Suite struct LossTests {
    private let reason = ExecutionError(
        code: "success_criteria_failed", message: "Ünïcode 🚀", step: nil, isRetryable: true, action: "Try again")

    @Test func `what was begun again is counted for the next owner, each time once`() async throws {
        try await TestDatabase.run { test async throws in
            let first = try await test.makeClaimed()
            #expect(first.begunAgain.isEmpty && first.failure == nil)
            let ledger = PostgresLedger(test.database)
            var outcomes: [FenceOutcome] = []
            // The second is a replay of the first, and the third one that comes too late.
            for count in [2, 2, 1] {
                outcomes.append(try await ledger.begin(again: "1", count: count, fence: first.fence))
            }
            outcomes.append(try await ledger.begin(again: "undo 1", count: 1, fence: first.fence))
            #expect(outcomes == [.applied, .applied, .applied, .applied])
            let second = try await test.takeOver(first.fence)
            #expect(second.begunAgain == ["1": 2, "undo 1": 1])
            #expect(try await ledger.begin(again: "1", count: 9, fence: first.fence) == .fenced)
            #expect(try await test.takeOver(second.fence).begunAgain["1"] == 2)
        }
    }

    @Test func `the first reason stays until the end`() async throws {
        try await TestDatabase.run { test async throws in
            let first = try await test.makeClaimed()
            let ledger = PostgresLedger(test.database)
            let later = ExecutionError(code: "later", message: "m", step: nil, isRetryable: false, action: "a")
            #expect(try await ledger.fail(reason, fence: first.fence) == .applied)
            #expect(try await ledger.fail(later, fence: first.fence) == .applied)
            let second = try await test.takeOver(first.fence)
            #expect(second.failure == reason)
            #expect(try await ledger.fail(later, fence: first.fence) == .fenced)
            let ending = ExecutionEnding(state: .failed, result: .null, error: reason.leaving(["setup_domain at x"]))
            _ = try await ledger.checkpoint(.make(second.fence, ending: ending))
            let shown = try await test.text("SELECT error->'not_undone'->>0 FROM template_executions")
            #expect(shown == "setup_domain at x")
        }
    }
}
