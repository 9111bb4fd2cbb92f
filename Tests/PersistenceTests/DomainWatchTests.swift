import Domain
import Testing

@testable import Persistence

@Suite struct DomainWatchTests {
    private static let isDue = "UPDATE domain_watches SET next_look_at = now() - interval '1 second'"
    private static let states = "SELECT string_agg(state, ',' ORDER BY step_id) FROM domain_watches"
    private static let pending: JSON = [
        "domain": "shop.example", "status": "pending_dns", "records": [["type": "CNAME"]],
    ]

    /// A run whose step "1" set up a domain, with the output it ended with.
    private static func makeDomain(
        _ test: TestDatabase, output: JSON = pending, command: String = "setup_domain",
        ending: ExecutionEnding? = .success
    ) async throws -> ClaimedExecution {
        let claimed = try await test.makeClaimed()
        let ledger = PostgresLedger(test.database)
        let effect = Effect.make(claimed.fence.executionID, command: command)
        _ = try await ledger.intend(effect, fence: claimed.fence)
        _ = try await ledger.checkpoint(
            .make(
                claimed.fence, step: .make("1", output: output),
                effects: [effect.becoming(.done, resource: ["id": "dom-1"])]))
        if let ending { _ = try await ledger.checkpoint(.make(claimed.fence, progress: 100, ending: ending)) }
        return claimed
    }

    @Test func aDomainThatWaitsForItsRecordsIsWatched() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await Self.makeDomain(test)
            let watch = PostgresDomainWatch(test.database)
            let due = try await watch.takeDue(limit: 5)
            let effect = Effect.make(claimed.fence.executionID, command: "setup_domain")
            #expect(
                due == [
                    PendingDomain(
                        executionID: claimed.fence.executionID, userID: claimed.userID, domain: "shop.example",
                        effect: effect.becoming(.done, resource: ["id": "dom-1"]), attempts: 0)
                ])
            // Taken for a minute.
            let again = try await watch.takeDue(limit: 5)
            let left = try await test.count(
                "SELECT round(extract(epoch FROM next_look_at - now()))::bigint FROM domain_watches")
            #expect(again.isEmpty && (1...60).contains(left ?? 0))
            try await watch.postpone(try #require(due.first), by: .seconds(3_600))
            let later = try await watch.takeDue(limit: 5)
            #expect(later.isEmpty)
            try await test.query(Self.isDue)
            let second = try await watch.takeDue(limit: 5)
            #expect(second.map(\.attempts) == [1])
        }
    }

    @Test func whatIsNoPendingDomainIsNotWatched() async throws {
        try await TestDatabase.run { test async throws in
            let watch = PostgresDomainWatch(test.database)
            _ = try await Self.makeDomain(test, output: ["domain": "shop.example", "status": "active"])
            _ = try await Self.makeDomain(test, command: "deploy_application")
            _ = try await Self.makeDomain(test, output: ["domain": 7, "status": "pending_dns"])
            // An answer of a model may look like one.
            let claimed = try await test.makeClaimed()
            _ = try await PostgresLedger(test.database).checkpoint(
                .make(claimed.fence, step: .make("1", output: Self.pending)))
            let due = try await watch.takeDue(limit: 5)
            #expect(due.isEmpty)
            #expect(try await test.count("SELECT count(*) FROM domain_watches") == 0)
        }
    }

    @Test func aRunThatGoesOnIsLeftForLater() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await Self.makeDomain(test, ending: nil)
            let watch = PostgresDomainWatch(test.database)
            let early = try await watch.takeDue(limit: 5)
            _ = try await PostgresLedger(test.database).checkpoint(
                .make(claimed.fence, progress: 100, ending: .success))
            let due = try await watch.takeDue(limit: 5)
            #expect(early.isEmpty && due.count == 1)
        }
    }

    @Test func aDomainThatAnswersIsTheRunsAddress() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await Self.makeDomain(test)
            let watch = PostgresDomainWatch(test.database)
            let domain = try #require(try await watch.takeDue(limit: 5).first)
            for _ in 0..<2 { try await watch.activate(domain) }
            let text = try await PostgresReader(test.database).execution(claimed.fence.executionID, of: claimed.userID)
            let json = try JSON.parse(try #require(text))
            #expect(json["deployed_url"] == "https://shop.example")
            #expect(json["result"] == ["app_url": "https://a.example", "final_url": "https://shop.example"])
            #expect(json["status"] == "completed")
            try await test.query(Self.isDue)
            let after = try await watch.takeDue(limit: 5)
            // A look that comes late takes nothing back.
            try await watch.postpone(domain, by: nil)
            #expect(after.isEmpty)
            #expect(try await test.text(Self.states) == "active")
        }
    }

    @Test func aRunWithoutAResultGetsOneThatSaysWhereItAnswers() async throws {
        try await TestDatabase.run { test async throws in
            _ = try await Self.makeDomain(
                test, ending: ExecutionEnding(state: .completed, result: .null, error: nil))
            let watch = PostgresDomainWatch(test.database)
            try await watch.activate(try #require(try await watch.takeDue(limit: 5).first))
            #expect(
                try await test.text("SELECT result_data FROM template_executions")
                    == "{\"final_url\": \"https://shop.example\"}")
        }
    }

    @Test func failedRunsAndUndoneEffectsWaitNoLonger() async throws {
        try await TestDatabase.run { test async throws in
            _ = try await Self.makeDomain(test, ending: .failure)
            let watch = PostgresDomainWatch(test.database)
            let failed = try await watch.takeDue(limit: 5)
            #expect(failed.isEmpty)
            #expect(try await test.text(Self.states) == "abandoned")

            _ = try await Self.makeDomain(test)
            let domain = try #require(try await watch.takeDue(limit: 5).first)
            try await test.query("UPDATE execution_effects SET state = 'undone'")
            // Undone while a host looked.
            try await watch.activate(domain)
            #expect(
                try await test.text("SELECT deployed_url FROM template_executions WHERE status = 'completed'")
                    == "https://a.example")
            try await test.query(Self.isDue)
            let undone = try await watch.takeDue(limit: 5)
            #expect(undone.isEmpty)
            #expect(try await test.count("SELECT count(*) FROM domain_watches WHERE state = 'pending'") == 0)
        }
    }

    @Test func givingUpEndsTheWatchUnlessAnotherHostLooks() async throws {
        try await TestDatabase.run { test async throws in
            _ = try await Self.makeDomain(test)
            let watch = PostgresDomainWatch(test.database)
            let slow = try #require(try await watch.takeDue(limit: 5).first)
            try await test.query(Self.isDue)
            let quick = try #require(try await watch.takeDue(limit: 5).first)
            try await watch.postpone(slow, by: nil)
            #expect(try await test.text(Self.states) == "pending")
            try await watch.postpone(quick, by: nil)
            #expect(try await test.text(Self.states) == "abandoned")
        }
    }

    @Test func hostsThatLookAtOnceNeverTakeTheSame() async throws {
        try await TestDatabase.run { test async throws in
            for _ in 0..<8 { _ = try await Self.makeDomain(test) }
            let watch = PostgresDomainWatch(test.database)
            let taken = try await withThrowingTaskGroup(of: [PendingDomain].self) { group in
                for _ in 0..<8 { group.addTask { try await watch.takeDue(limit: 2) } }
                return try await group.reduce([], +)
            }
            let rest = try await watch.takeDue(limit: 10)
            #expect((taken + rest).count == 8 && Set((taken + rest).map(\.executionID)).count == 8)
        }
    }
}
