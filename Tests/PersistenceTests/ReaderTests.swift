import Domain
import Testing

@testable import Persistence

@Suite struct ReaderTests {
    @Test func anExecutionReadsAsTheAPIShowsIt() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await test.makeClaimed()
            let reader = PostgresReader(test.database)
            let ledger = PostgresLedger(test.database)
            let id = claimed.fence.executionID
            let error = ExecutionError(
                code: "provider_overloaded", message: "Claude is overloaded", step: "Step 2", isRetryable: true,
                action: "Start the run again")
            var cost = CostBreakdown()
            try cost.add(step: "Step 1", provider: "claude", model: "m", cost: Money(picoDollars: 1_500_000_000_000))
            _ = try await ledger.checkpoint(.make(claimed.fence, step: .make(), progress: 50, cost: cost))
            let running = try JSON.parse(try #require(try await reader.execution(id, of: claimed.userID)))
            #expect(running["status"] == "running" && running["error"] == .null && running["end_time"] == .null)
            let estimate = try #require(running["estimated_completion"]?.stringValue)
            #expect(estimate.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
            _ = try await ledger.checkpoint(
                .make(
                    claimed.fence, step: .make("2", output: .null, error: error), progress: 50, cost: cost,
                    ending: ExecutionEnding(state: .failed, result: .null, error: error)))

            let json = try JSON.parse(try #require(try await reader.execution(id, of: claimed.userID)))
            #expect(json["id"] == .string(id.description) && json["template_id"] == "demo")
            #expect(json["status"] == "failed" && json["progress_percentage"] == 50)
            #expect(json["current_step"] == "Step 1" && json["total_steps"] == 2 && json["completed_steps"] == 1)
            #expect(json["total_cost"] == "1.50" && json["cost_breakdown"] == cost.json)
            #expect(json["result"] == .null && json["error_message"] == "Claude is overloaded")
            #expect(json["error"] == error.json)
            for key in ["created_at", "start_time", "end_time"] {
                let time = try #require(json[key]?.stringValue)
                #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
            }
            #expect(json["created_at"] == .string(id.timestamp.description))
        }
    }

    @Test func resultsComeAsStored() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await test.makeClaimed()
            let result: JSON = [
                "app_url": "https://a.example", "final_url": "https://b.example",
                "github_repo": "https://git.example/x",
                "credentials": ["user": "ä\"\\"],
            ]
            _ = try await PostgresLedger(test.database).checkpoint(
                .make(
                    claimed.fence, progress: 100,
                    ending: ExecutionEnding(
                        state: .completed, result: result, error: nil, deployedURL: "https://b.example",
                        repositoryURL: "https://git.example/x")))
            let text = try await PostgresReader(test.database).execution(claimed.fence.executionID, of: claimed.userID)
            let json = try JSON.parse(try #require(text))
            #expect(json["result"] == result && json["deployed_url"] == "https://b.example")
            #expect(json["github_repo_url"] == "https://git.example/x" && json["estimated_completion"] == .null)
            #expect(json["progress_percentage"] == 100 && json["total_cost"] == "0.00")
        }
    }

    @Test func strangersSeeNothing() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await test.makeClaimed()
            let stranger = try await test.makeUser()
            let reader = PostgresReader(test.database)
            let id = claimed.fence.executionID
            let execution = try await reader.execution(id, of: stranger)
            let logs = try await reader.logs(id, of: stranger, after: 0, limit: 10)
            let unknown = try await reader.execution(TestDatabase.id(), of: claimed.userID)
            #expect(execution == nil && logs == nil && unknown == nil)
        }
    }

    @Test func amountsReadAsMoneyWritesThem() async throws {
        try await TestDatabase.run(migrated: false) { test async throws in
            for amount: Int64 in [0, 1, 10_000_000_000, 1_500_000_000_000, 1_230_000_000_000, 123_456_789_012_345_678] {
                let money = Money(picoDollars: amount)
                let text = try await test.text(
                    "SELECT \(decimal("value")) FROM (SELECT $1::numeric(24,12) AS value) AS amounts", [.money(money)])
                #expect(text == money.description)
            }
        }
    }

    @Test func logsPageWithoutGapOrRepeat() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await test.makeClaimed()
            let reader = PostgresReader(test.database)
            let (id, user) = (claimed.fence.executionID, claimed.userID)
            let empty = try #require(try await reader.logs(id, of: user, after: 0, limit: 10))
            #expect(empty.lines == "[]" && empty.lastSequence == 0 && !empty.hasMore && empty.state == .running)

            let ledger = PostgresLedger(test.database)
            _ = try await ledger.checkpoint(.make(claimed.fence, logs: [.make(1, "a"), .make(2, "b"), .make(3, "c")]))
            let first = try #require(try await reader.logs(id, of: user, after: 0, limit: 2))
            #expect(
                first.lines == """
                    [{"sequence":1,"timestamp":"2023-11-14T22:13:20.000Z","level":"info","step":null,"message":"a"},\
                    {"sequence":2,"timestamp":"2023-11-14T22:13:20.000Z","level":"info","step":null,"message":"b"}]
                    """)
            #expect(first.lastSequence == 2 && first.hasMore)
            let second = try #require(try await reader.logs(id, of: user, after: 2, limit: 2))
            #expect(second.lastSequence == 3 && !second.hasMore)

            // Lines 5 and 6 are there before line 4: a reader waits for line 4.
            _ = try await ledger.checkpoint(.make(claimed.fence, logs: [.make(5), .make(6)]))
            let waiting = try #require(try await reader.logs(id, of: user, after: 3, limit: 10))
            #expect(waiting.lines == "[]" && waiting.lastSequence == 3 && !waiting.hasMore)
            _ = try await ledger.checkpoint(.make(claimed.fence, logs: [.make(4)]))
            let rest = try #require(try await reader.logs(id, of: user, after: 3, limit: 10))
            #expect(rest.lastSequence == 6 && !rest.hasMore)
        }
    }

    /// A page is held whole for whoever reads it: long lines make it end early.
    @Test func aPageOfLongLinesEndsEarly() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await test.makeClaimed()
            let (id, user) = (claimed.fence.executionID, claimed.userID)
            let long = String(repeating: "l", count: 60_000)
            let lines: [LogLine] = (1...5).map { .make($0, long) }
            _ = try await PostgresLedger(test.database).checkpoint(.make(claimed.fence, logs: lines))
            let reader = PostgresReader(test.database)
            var (after, pages): (Int64, [Int64]) = (0, [])
            while after < 5 {
                let page = try #require(try await reader.logs(id, of: user, after: after, limit: 10))
                try #require(page.lastSequence > after)
                after = page.lastSequence
                #expect(page.hasMore == (after < 5))
                pages.append(after)
            }
            #expect(pages == [2, 4, 5])
        }
    }
}
