import Domain
import Testing

@testable import Persistence

@Suite struct WebhookOutboxTests {
    private static let isDue = "UPDATE webhook_deliveries SET next_attempt_at = now() - interval '1 second'"

    private static func types(_ deliveries: [WebhookDelivery]) -> [String] { deliveries.map(\.event.type) }

    @Test func eventsAreStoredOnceWithTheirCheckpointAndOnlyForAWebhook() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await test.makeClaimed(webhook: "https://hook.example/x?y=1")
            let silent = try await test.makeClaimed()
            let ledger = PostgresLedger(test.database)
            let event = WebhookEvent.make("execution.started", ["text": "Ünïcode \"🚀\"", "n": .decimal("1.50")])
            let checkpoint = Checkpoint.make(claimed.fence, step: .make(), events: [event])
            let outcomes = [try await ledger.checkpoint(checkpoint), try await ledger.checkpoint(checkpoint)]
            #expect(outcomes == [.applied, .alreadyApplied])
            _ = try await ledger.checkpoint(.make(silent.fence, events: [.make()]))
            let outbox = PostgresWebhookOutbox(test.database)
            let due = try await outbox.takeDue(limit: 10, lease: .seconds(60))
            #expect(
                due == [
                    WebhookDelivery(
                        event: event, executionID: claimed.fence.executionID, url: "https://hook.example/x?y=1",
                        attempts: 0, time: event.id.timestamp)
                ])
            #expect(try await test.count("SELECT count(*) FROM webhook_deliveries") == 1)
        }
    }

    @Test func eventsOfAnExecutionComeInOrderOneAfterTheOther() async throws {
        try await TestDatabase.run { test async throws in
            let first = try await test.makeClaimed(webhook: "https://a.example")
            let second = try await test.makeClaimed(webhook: "https://b.example")
            let ledger = PostgresLedger(test.database)
            let types = (1...9).map { "a\($0)" }
            _ = try await ledger.checkpoint(.make(first.fence, events: types.prefix(8).map { .make($0) }))
            _ = try await ledger.checkpoint(.make(second.fence, events: [.make("b1")]))
            _ = try await ledger.checkpoint(.make(first.fence, ending: .success, events: [.make("a9")]))
            let outbox = PostgresWebhookOutbox(test.database)
            var seen: [String] = []
            var due = try await outbox.takeDue(limit: 10, lease: .seconds(60))
            #expect(Self.types(due) == ["a1", "b1"])
            while let delivery = due.first {
                seen.append(delivery.event.type)
                let blocked = try await outbox.takeDue(limit: 10, lease: .seconds(60))
                #expect(blocked.isEmpty)
                // One that is given up lets the next through too.
                try await outbox.settle(delivery, seen.count == 4 ? .dead(reason: "gone") : .delivered)
                due = try await outbox.takeDue(limit: 10, lease: .seconds(60))
            }
            #expect(seen == types)
            let states = try await test.text(
                "SELECT string_agg(concat_ws(':', state, last_error), ' ' ORDER BY sequence) FROM webhook_deliveries "
                    + "WHERE settled_at IS NOT NULL")
            let delivered = "delivered delivered delivered"
            #expect(states == "\(delivered) dead:gone \(delivered) delivered delivered")
        }
    }

    @Test func aPostponedEventHoldsTheNextBackAndCountsItsTries() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await test.makeClaimed(webhook: "https://a.example")
            _ = try await PostgresLedger(test.database).checkpoint(
                .make(claimed.fence, events: [.make("a1"), .make("a2")]))
            let outbox = PostgresWebhookOutbox(test.database)
            for attempts in 0..<3 {
                let due = try await outbox.takeDue(limit: 10, lease: .seconds(60))
                #expect(Self.types(due) == ["a1"] && due.first?.attempts == attempts)
                try await outbox.settle(try #require(due.first), .postponed(.seconds(60), reason: "503 \0"))
                let early = try await outbox.takeDue(limit: 10, lease: .seconds(60))
                #expect(early.isEmpty)
                try await test.query(Self.isDue)
            }
            let reason = try await test.text("SELECT last_error FROM webhook_deliveries WHERE type = 'a1'")
            #expect(reason == "503 \u{FFFD}")
        }
    }

    @Test func aHostThatDiedLosesItsLeaseAndItsSay() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await test.makeClaimed(webhook: "https://a.example")
            _ = try await PostgresLedger(test.database).checkpoint(.make(claimed.fence, events: [.make("a1")]))
            let outbox = PostgresWebhookOutbox(test.database)
            let state = "SELECT state FROM webhook_deliveries"
            let dead = try #require(try await outbox.takeDue(limit: 1, lease: .seconds(60)).first)
            try await test.query(Self.isDue)
            let alive = try #require(try await outbox.takeDue(limit: 1, lease: .seconds(60)).first)
            #expect(alive.attempts == 1)
            try await outbox.settle(dead, .dead(reason: "late"))
            #expect(try await test.text(state) == "pending")
            // But what arrived has arrived, and stays so.
            try await outbox.settle(dead, .delivered)
            try await outbox.settle(alive, .dead(reason: "later"))
            #expect(try await test.text(state) == "delivered")
        }
    }

    @Test func hostsThatTakeAtOnceNeverTakeTheSame() async throws {
        try await TestDatabase.run { test async throws in
            let ledger = PostgresLedger(test.database)
            let worker = TestDatabase.id()
            let user = try await test.makeUser()
            for _ in 0..<30 { _ = try await test.makeExecution(user: user, webhook: "https://a.example") }
            try await ledger.renew(worker: worker, lease: .seconds(60))
            for claimed in try await ledger.claim(worker: worker, limit: 100, inFlight: []) {
                _ = try await ledger.checkpoint(.make(claimed.fence, events: [.make("a"), .make("b")]))
            }
            try await test.another(TestDatabase.small) { other in
                let outboxes = [PostgresWebhookOutbox(test.database), PostgresWebhookOutbox(other)]
                let taken = try await withThrowingTaskGroup(of: [WebhookDelivery].self) { group in
                    for number in 0..<20 {
                        group.addTask { try await outboxes[number % 2].takeDue(limit: 3, lease: .seconds(60)) }
                    }
                    return try await group.reduce([], +)
                }
                let rest = try await outboxes[0].takeDue(limit: 100, lease: .seconds(60))
                let all = taken + rest
                #expect(all.count == 30 && Set(all.map(\.executionID)).count == 30)
                #expect(all.allSatisfy { $0.event.type == "a" })
                let none = try await outboxes[0].takeDue(limit: 0, lease: .seconds(60))
                #expect(none.isEmpty)
            }
        }
    }
}
