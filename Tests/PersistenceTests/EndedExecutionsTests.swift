import Domain
import Testing

@testable import Persistence

@Suite struct EndedExecutionsTests {
    private static let (owner, stranger) = (TestDatabase.id(), TestDatabase.id())

    @Test func aTextIsForItsOwnerAlone() {
        let (ended, id) = (EndedExecutions(), TestDatabase.id())
        ended.keep("{}", id, of: Self.owner)
        #expect(ended.text(id, of: Self.owner) == "{}")
        #expect(ended.text(id, of: Self.stranger) == nil)
        #expect(ended.text(TestDatabase.id(), of: Self.owner) == nil)
    }

    @Test func aTextIsReadAnewAfterAMinuteHoweverOftenItIsAskedFor() {
        let start = ContinuousClock.now
        let (ended, id) = (EndedExecutions(at: start), TestDatabase.id())
        ended.keep("{}", id, of: Self.owner, at: start)
        for seconds in [1, 29, 31, 59] {
            #expect(ended.text(id, of: Self.owner, at: start + .seconds(seconds)) == "{}")
        }
        #expect(ended.text(id, of: Self.owner, at: start + .seconds(62)) == nil)
        ended.keep("{}", id, of: Self.owner, at: start + .seconds(63))
        #expect(ended.text(id, of: Self.owner, at: start + .seconds(300)) == nil)
    }

    @Test func textsAreBoundedInBytes() {
        let ended = EndedExecutions(capacity: 1_600)
        let ids = (0..<100).map { _ in TestDatabase.id() }
        for id in ids { ended.keep(String(repeating: "x", count: 100), id, of: Self.owner) }
        // Two generations of sixteen, of which the last is full or filling.
        let kept = ids.count { ended.text($0, of: Self.owner) != nil }
        #expect((16...32).contains(kept))
        #expect(ended.text(ids[99], of: Self.owner) != nil && ended.text(ids[0], of: Self.owner) == nil)
        let large = TestDatabase.id()
        ended.keep(String(repeating: "x", count: 101), large, of: Self.owner)
        #expect(ended.text(large, of: Self.owner) == nil)
    }

    /// Changed behind the host's back, to see what was read.
    private static let rename = "UPDATE template_executions SET template_slug = 'other'"

    @Test func whatHasEndedIsReadOnceAndWhatGoesOnEachTime() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await test.makeClaimed()
            let (id, user) = (claimed.fence.executionID, claimed.userID)
            let reader = PostgresReader(test.database)
            func slug() async throws -> JSON? {
                try JSON.parse(try #require(try await reader.execution(id, of: user)))["template_id"]
            }
            #expect(try await slug() == "demo")
            try await test.query("UPDATE template_executions SET template_slug = 'renamed'")
            #expect(try await slug() == "renamed")
            _ = try await PostgresLedger(test.database).checkpoint(.make(claimed.fence, ending: .success))
            #expect(try await slug() == "renamed")
            try await test.query(Self.rename)
            #expect(try await slug() == "renamed")
            let stranger = try await reader.execution(id, of: Self.stranger)
            #expect(stranger == nil)
        }
    }

    /// Its domain's becoming active changes the result of a run that has ended.
    @Test func whatWaitsForADomainIsReadEachTime() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await test.makeClaimed()
            let (id, user) = (claimed.fence.executionID, claimed.userID)
            let (ledger, watch) = (PostgresLedger(test.database), PostgresDomainWatch(test.database))
            let effect = Effect.make(id, command: "setup_domain")
            _ = try await ledger.intend(effect, fence: claimed.fence)
            _ = try await ledger.checkpoint(
                .make(
                    claimed.fence, step: .make("1", output: ["domain": "shop.example", "status": "pending_dns"]),
                    effects: [effect.becoming(.done, resource: ["id": "dom-1"])]))
            _ = try await ledger.checkpoint(.make(claimed.fence, progress: 100, ending: .success))
            let reader = PostgresReader(test.database)
            let before = try #require(try await reader.execution(id, of: user))
            #expect(!before.contains("shop.example"))
            try await watch.activate(try #require(try await watch.takeDue(limit: 1).first))
            let after = try #require(try await reader.execution(id, of: user))
            #expect(try JSON.parse(after)["deployed_url"] == "https://shop.example")
            try await test.query(Self.rename)
            let final = try await reader.execution(id, of: user)
            #expect(final == after)
        }
    }
}
