import Domain
import Testing

@testable import Persistence

@Suite struct FenceTests {
    private static func writes(_ test: TestDatabase) async throws -> [Int64?] {
        [
            try await test.count("SELECT count(*) FROM execution_steps"),
            try await test.count("SELECT count(*) FROM execution_logs"),
            try await test.count("SELECT count(*) FROM ai_api_calls WHERE state <> 'unknown'"),
            try await test.count("SELECT progress_percentage FROM template_executions"),
        ]
    }

    @Test func aWorkerThatWasTakenOverWritesNothing() async throws {
        try await TestDatabase.run { test async throws in
            let first = try await test.makeClaimed()
            let ledger = PostgresLedger(test.database)
            let call = ProviderCall.demo()
            _ = try await ledger.open(call, fence: first.fence)
            let second = try await test.takeOver(first.fence).fence
            let ending = ExecutionEnding(state: .completed, result: [:], error: nil)
            let outcomes = [
                try await ledger.open(.demo(), fence: first.fence),
                try await ledger.checkpoint(
                    .make(
                        first.fence, step: .make(), settlements: [.demo(call, cost: Money(picoDollars: 1))],
                        logs: [.make(1)], progress: 90)),
                try await ledger.checkpoint(.make(first.fence, logs: [.make(1)])),
                try await ledger.checkpoint(.make(first.fence, progress: 100, ending: ending)),
            ]
            #expect(outcomes == [.fenced, .fenced, .fenced, .fenced])
            #expect(try await Self.writes(test) == [0, 0, 0, 0])
            let alive = try await ledger.checkpoint(.make(second, step: .make(), logs: [.make(1)]))
            #expect(alive == .applied)
        }
    }

    /// The old owner's statement already waits for the row's lock when the take-over commits.
    @Test func aStatementThatWaitedForTheTakeOverWritesNothing() async throws {
        var patient = TestDatabase.small
        patient.lockTimeout = .seconds(20)
        try await TestDatabase.run(configuration: patient) { test async throws in
            let first = try await test.makeClaimed()
            let ledger = PostgresLedger(test.database)
            let successor = TestDatabase.id()
            let locked = AsyncStream<Void>.makeStream()
            let release = EventBox()
            try await withThrowingTaskGroup(of: FenceOutcome?.self) { group in
                group.addTask {
                    // What `claim` does, held open before its commit.
                    try await test.database.transaction { session throws(DatabaseError) in
                        _ = try session.query(
                            "UPDATE template_executions SET owner = $1::uuid, epoch = epoch + 1", [.uuid(successor)])
                        locked.continuation.finish()
                        release.counter.wait()
                    }
                    return nil
                }
                for await _ in locked.stream {}
                group.addTask {
                    try await ledger.checkpoint(.make(first.fence, step: .make(), logs: [.make(1)], progress: 90))
                }
                group.addTask { try await ledger.open(.demo(), fence: first.fence) }
                group.addTask { try await ledger.intend(.make(first.fence.executionID), fence: first.fence) }
                let waiting = """
                    SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND wait_event_type = 'Lock'
                    """
                while try await test.count(waiting) == 0 {}
                release.counter.add()
                let outcomes = try await group.reduce(into: []) { $0.append($1) }.compactMap { $0 }
                #expect(outcomes == [.fenced, .fenced, .fenced])
            }
            #expect(try await test.count("SELECT count(*) FROM execution_effects") == 0)
            #expect(try await Self.writes(test) == [0, 0, 0, 0])
        }
    }

    @Test func afterTheEndNothingIsWritten() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await test.makeClaimed()
            let ledger = PostgresLedger(test.database)
            let ending = ExecutionEnding(state: .cancelled, result: .null, error: nil)
            let outcomes = [
                try await ledger.checkpoint(.make(claimed.fence, ending: ending)),
                try await ledger.checkpoint(.make(claimed.fence, step: .make())),
                try await ledger.open(.demo(), fence: claimed.fence),
                try await ledger.intend(.make(claimed.fence.executionID), fence: claimed.fence),
                try await ledger.checkpoint(
                    .make(claimed.fence, ending: ExecutionEnding(state: .completed, result: [:], error: nil))),
            ]
            #expect(outcomes == [.applied, .fenced, .fenced, .fenced, .fenced])
            let none = try await ledger.claim(worker: claimed.fence.worker, limit: 1, inFlight: [])
            #expect(none.isEmpty)
        }
    }
}
