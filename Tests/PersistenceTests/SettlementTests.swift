import Domain
import Testing

@testable import Persistence

@Suite struct SettlementTests {
    private static let states =
        "SELECT string_agg(state || coalesce(cost::text, '-'), ',' ORDER BY attempt) FROM ai_api_calls"

    @Test func settlementsAreExactToThePicoDollarAlsoAfterATakeOver() async throws {
        try await TestDatabase.run { test async throws in
            let first = try await test.makeClaimed().fence
            let amounts: [Int64] = [1, 123_456_789_012, 8_999_999_999_999_999_999, 0, 999_999_999_999]
            var cost = CostBreakdown()
            try await Self.settle(amounts, after: 0, first, &cost, test)
            let rows = try await test.query("SELECT cost FROM ai_api_calls ORDER BY attempt")
            #expect((0..<rows.count).map { rows.money($0, 0)?.picoDollars } == amounts)
            #expect(try await Self.total(test) == "9000001.123456789011")

            // The successor knows no more than what the ledger tells it.
            let claimed = try await test.takeOver(first)
            cost = CostBreakdown()
            for call in claimed.calls {
                try cost.add(step: call.stepID, provider: call.provider, model: call.model, cost: call.cost)
            }
            try await Self.settle([7, 11], after: amounts.count, claimed.fence, &cost, test)
            #expect(try await Self.total(test) == "9000001.123456789029")
        }
    }

    /// Opens and settles a call an amount, in one checkpoint with their sum.
    private static func settle(
        _ amounts: [Int64], after attempts: Int, _ fence: Fence, _ cost: inout CostBreakdown, _ test: TestDatabase
    ) async throws {
        let ledger = PostgresLedger(test.database)
        var settlements: [CallSettlement] = []
        for (index, amount) in amounts.enumerated() {
            let call = ProviderCall.demo(attempt: attempts + index + 1)
            _ = try await ledger.open(call, fence: fence)
            settlements.append(.demo(call, cost: Money(picoDollars: amount)))
            try cost.add(step: "1", provider: "claude", model: "m", cost: Money(picoDollars: amount))
        }
        let outcome = try await ledger.checkpoint(.make(fence, settlements: settlements, cost: cost))
        #expect(outcome == .applied)
    }

    /// The execution's total where it is the sum of its calls, and what the API says of it.
    private static func total(_ test: TestDatabase) async throws -> String? {
        try await test.text(
            """
            SELECT total_cost FROM template_executions e
            WHERE total_cost = (SELECT sum(cost) FROM ai_api_calls WHERE execution_id = e.id)
                AND cost_breakdown->>'total' = total_cost::text
            """)
    }

    @Test func noNameOrTextOfAPluginCostsACheckpoint() async throws {
        try await TestDatabase.run { test async throws in
            let fence = try await test.makeClaimed().fence
            let ledger = PostgresLedger(test.database)
            let (long, zero) = (String(repeating: "m", count: 300), "m\0del")
            let calls = [ProviderCall.demo(model: long), .demo(attempt: 2, model: zero)]
            for call in calls { _ = try await ledger.open(call, fence: fence) }
            let raw: JSON = ["n": .decimal("1e999999"), "k\0": ["\0", .decimal("1.5e-7"), .decimal("2E+0000012")]]
            let error = ExecutionError(
                code: "e", message: "with \0 inside", step: zero, isRetryable: true, action: "again\0")
            var cost = CostBreakdown()
            try cost.add(step: "1", provider: "claude", model: zero, cost: Money(picoDollars: 1))
            let settlements = zip(calls, [long, zero]).map { call, model in
                CallSettlement(
                    id: call.id, state: .settled, model: model, usage: nil, rawUsage: raw, cost: .zero,
                    priceVersion: zero, latency: .zero, error: nil,
                    providerRequestID: String(repeating: zero, count: 999))
            }
            let outcome = try await ledger.checkpoint(
                .make(
                    fence, step: .make("1", output: .null, error: error), settlements: settlements, cost: cost,
                    ending: ExecutionEnding(state: .failed, result: .null, error: error)))
            #expect(outcome == .applied)
            let names = try await test.query("SELECT model_name FROM ai_api_calls ORDER BY attempt")
            #expect(names.text(0, 0) == long && names.text(1, 0) == "m\u{FFFD}del")
            #expect(
                try await test.text("SELECT raw_usage FROM ai_api_calls LIMIT 1")
                    == "{\"n\": \"1e999999\", \"k\u{FFFD}\": [\"\u{FFFD}\", 0.00000015, 2000000000000]}")
            #expect(try await test.text("SELECT error_message FROM template_executions") == "with \u{FFFD} inside")
        }
    }

    @Test func anEndingLeavesNoCallOpen() async throws {
        try await TestDatabase.run { test async throws in
            let fence = try await test.makeClaimed().fence
            let stranger = try await test.makeClaimed().fence
            let ledger = PostgresLedger(test.database)
            let calls = (1...3).map { ProviderCall.demo(attempt: $0) }
            for call in calls { _ = try await ledger.open(call, fence: fence) }
            _ = try await ledger.open(.demo(attempt: 4), fence: stranger)
            _ = try await ledger.checkpoint(.make(fence, progress: 20))
            #expect(try await test.text(Self.states) == "open-,open-,open-,open-")
            let outcome = try await ledger.checkpoint(
                .make(
                    fence,
                    settlements: [
                        .demo(calls[0], cost: Money(picoDollars: 5)), .demo(calls[1], state: .unknown, cost: .zero),
                    ], ending: ExecutionEnding(state: .failed, result: .null, error: nil)))
            #expect(outcome == .applied)
            #expect(try await test.text(Self.states) == "settled0.000000000005,unknown-,unknown-,open-")
            let settled = try await test.text(
                "SELECT string_agg(coalesce(success::text, '-'), ',' ORDER BY attempt) FROM ai_api_calls "
                    + "WHERE settled_at IS NOT NULL")
            #expect(settled == "true,false,false")
        }
    }

    @Test func anEndingWithoutTheFenceLeavesTheCallsAlone() async throws {
        try await TestDatabase.run { test async throws in
            let first = try await test.makeClaimed().fence
            let second = try await test.takeOver(first).fence
            let ledger = PostgresLedger(test.database)
            _ = try await ledger.open(.demo(), fence: second)
            let late = try await ledger.checkpoint(
                .make(first, ending: ExecutionEnding(state: .failed, result: .null, error: nil)))
            #expect(late == .fenced)
            #expect(try await test.text(Self.states) == "open-")
        }
    }

    /// A plan is kept for the life of a connection: it must not be one for an empty table.
    @Test func noCheckpointReadsAllCalls() async throws {
        try await TestDatabase.run { test async throws in
            let fence = try await test.makeClaimed().fence
            let settlement = CallSettlement.demo(.demo(), cost: .zero)
            let whole = CheckpointStatement(
                .make(
                    fence, step: .make(), settlements: [settlement], logs: [.make(1)],
                    ending: ExecutionEnding(state: .completed, result: .null, error: nil),
                    effects: [.make(fence.executionID).becoming(.done)], deployments: [.make()], events: [.make()]))
            let nulls = whole.parameters.map { _ in "NULL" }.joined(separator: ", ")
            let plan = try await test.database.transaction { session throws(DatabaseError) in
                try session.script("SET LOCAL plan_cache_mode = force_generic_plan")
                try session.script("PREPARE whole AS \(whole.statement.sql)")
                let rows = try session.query("EXPLAIN EXECUTE whole (\(nulls))")
                try session.script("DEALLOCATE whole")
                return (0..<rows.count).compactMap { rows.text($0, 0) }
            }
            #expect(plan.contains { $0.contains("template_executions_pkey") })
            #expect(plan.contains { $0.contains("execution_id_idx") })
            #expect(!plan.contains { $0.contains("Seq Scan") })
        }
    }
}
