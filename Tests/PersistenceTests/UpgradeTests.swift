import Domain
import Testing

@testable import Persistence

/// Databases of earlier releases, with rows.
@Suite struct UpgradeTests {
    /// A released migration is in databases out there: change it, and they refuse this binary.
    @Test func releasedMigrationsStayAsTheyAre() {
        let released = [
            "b9365dbf9c0aa764b7510d2e8e62110c46eeb837e489075e1b737b81f2f3d55f",
            "4eff3cb46462160a340cc3dafac15c0678b19e97fe6ba85af6ead3122a4e6894",
        ]
        #expect(Migration.all.prefix(2).map(\.checksum) == released)
    }

    @Test func aDatabaseOfTheFirstReleaseGoesOnWithItsRows() async throws {
        try await TestDatabase.run(migrated: false) { test async throws in
            _ = try await Migrator(test.database, [.initialSchema]).migrate()
            let user = try await test.makeUser()
            try await PostgresCatalog(test.database).publish(.demo())
            // As the first release wrote them: a run that a dead host left, one that waits, and a deployment.
            let (running, queued) = (TestDatabase.id(), TestDatabase.id())
            for (id, status, epoch) in [(running, "running", 1), (queued, "queued", 0)] as [(UUIDv7, String, Int)] {
                try await test.query(
                    """
                    INSERT INTO template_executions (
                        id, user_id, template_id, template_slug, execution_config, plan, status, epoch, owner)
                    SELECT $1::uuid, $2::uuid, id, 'demo', '{}', $3::jsonb, $4::varchar, $5::bigint,
                        CASE WHEN $4 = 'running' THEN gen_random_uuid() END
                    FROM templates
                    """, [.uuid(id), .uuid(user), .json(ExecutionPlan.demo().json), .text(status), .count(epoch)])
            }
            for provider in ["railway", "vercel"] {
                try await test.query(
                    "INSERT INTO deployments (execution_id, provider) VALUES ($1::uuid, $2)",
                    [.uuid(running), .text(provider)])
            }

            #expect(try await Migrator(test.database).migrate().map(\.number) == [2, 3, 4])
            #expect(try await Migrator(test.database).pending().isEmpty)
            #expect(try await test.count("SELECT count(*) FROM deployments WHERE step_id IS NULL") == 2)
            let worker = TestDatabase.id()
            try await test.makeSteady(worker)
            let ledger = PostgresLedger(test.database)
            let claimed = try await ledger.claim(worker: worker, limit: 5, inFlight: [])
            #expect(Set(claimed.map(\.fence.executionID)) == [running, queued])
            #expect(claimed.allSatisfy { $0.effects.isEmpty && !$0.hasWebhook })
            let fence = try #require(claimed.first { $0.fence.executionID == running }?.fence)
            let outcomes = [
                try await ledger.intend(.make(running), fence: fence),
                try await ledger.checkpoint(
                    .make(fence, step: .make(), progress: 100, ending: .success, deployments: [.make()])),
            ]
            #expect(outcomes == [.applied, .applied])
            let shown = try await PostgresReader(test.database).execution(queued, of: user)
            #expect(try JSON.parse(try #require(shown))["estimated_completion"] == .null)
            #expect(try await test.count("SELECT count(*) FROM deployments") == 3)
        }
    }

    @Test func aDatabaseOfTheSecondReleaseTakesItsRunsInTheirOrder() async throws {
        try await TestDatabase.run(migrated: false) { test async throws in
            _ = try await Migrator(test.database, [.initialSchema, .runningApplications]).migrate()
            let user = try await test.makeUser()
            let waiting = (0..<3).map { _ in TestDatabase.id() }
            // As the second release wrote them. A moment for all: then it is the ids that tell.
            try await test.query(
                """
                INSERT INTO template_executions (id, user_id, template_slug, execution_config, plan, status, created_at)
                SELECT unnest($1::uuid[]), $2::uuid, 'demo', '{}', $3::jsonb, 'queued', now()
                """, [.array(waiting), .uuid(user), .json(ExecutionPlan.demo().json)])
            #expect(try await Migrator(test.database).migrate().map(\.number) == [3, 4])
            let worker = TestDatabase.id()
            let ledger = PostgresLedger(test.database)
            try await ledger.renew(worker: worker, lease: .seconds(60))
            let claimed = try await ledger.claim(worker: worker, limit: 2, inFlight: [])
            #expect(claimed.map(\.fence.executionID) == Array(waiting.sorted().prefix(2)))
        }
    }
}
