import Domain
import Foundation
import Outbound
import Testing

@testable import App
@testable import Persistence

/// A host that is stopped past its lease while another takes over, and then goes on as if nothing had been.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ZombieTests {
    /// The shortest there is.
    private static let lease = ["ENGINE_LEASE_SECONDS": "3"]

    /// Three runs of one host are each in the middle of something else when it is stopped: in a statement of a batch, in a
    /// call that has had its effect at the provider, and in a call of a model.
    @Test func `a host that was stopped past its lease writes and does nothing, and serves on`() async throws {
        try await SurvivalWorld.with("zombie") { world in
            let zombie = try world.startHost("zombie", environment: Self.lease)
            let account = try await zombie.client.registered()
            let audit = try await WriteAudit(world)
            try await withBlockedSteps(of: "Xenia", world) { blocked in
                let runs = try await begin(on: account, world, until: blocked)
                let old = try await Self.workers(world)
                try #require(old.count == 1)
                zombie.pause()
                var records: [String: SurvivalRecord] = [:]
                for id in runs.ids { records[id] = try await SurvivalRecord.take(id, in: world) }

                let successor = try world.startHost("successor", environment: Self.lease)
                try await Self.waitUntil("the successor has taken over") {
                    try await world.query("SELECT count(*) FROM template_executions WHERE epoch = 2").integer(0, 0) == 3
                }
                // The successor comes as far as these gates, and stays there while the other wakes up.
                let upload = try await world.provider.close(["provider": "railway", "match": "up"])
                try await blocked.release()
                try await world.provider.open(runs.effect)
                try await world.provider.waitUntilHeld(upload, calls: 2)
                let name = try #require(old.first?.value)
                let writes = try await audit.writes(by: name)
                let calls = try await world.provider.get("/ledger").body["total"]

                zombie.goOn()
                try await Self.waitUntil("it has let go of all it ran, and has another identity") {
                    let names = try await Self.workers(world)
                    let isReborn = names.contains { $0.value == old.first?.value && old[$0.key] == nil }
                    return isReborn && zombie.log.components(separatedBy: "run let go").count > 3
                }
                #expect(try await audit.writes(by: name) == writes, "the zombie has written")
                #expect(try await world.provider.get("/ledger").body["total"] == calls, "the zombie has done something")

                try await world.provider.open(upload)
                try await world.provider.open(runs.model)
                let client = world.client(account, at: successor)
                for id in runs.ids {
                    let execution = try await client.ended(id)
                    let unsettled = try await SurvivalInvariants.check(
                        execution, in: world, records: [try #require(records[id])])
                    for line in unsettled { print("\(execution["app_name"]?.text ?? id), not settled: \(line)") }
                }
                #expect(successor.stop() == 0)
            }
            // Alone again, it runs what comes under its new identity.
            let execution = try await account.ended(try await account.beginSaaS("Yarrow", hasDomain: false))
            try await SurvivalInvariants.check(execution, in: world)
            try await SurvivalInvariants.checkResources(of: 4, domains: 0, in: world)
            #expect(zombie.stop() == 0)
        }
    }

    private struct Runs {
        let ids: [String]
        /// Holds the answer to a call that has had its effect.
        let effect: Int64
        /// Holds calls of a model.
        let model: Int64
    }

    private func begin(on client: APIClient, _ world: SurvivalWorld, until blocked: BlockedSteps) async throws -> Runs {
        let effect = try await world.provider.close(
            ["provider": "railway", "match": "tcpProxyCreate", "when_done": true])
        let made = try await client.beginSaaS("Yelena", hasDomain: false)
        try await world.provider.waitUntilHeld(effect)
        let model = try await world.provider.close(["provider": "anthropic", "match": "architecture of Zelda"])
        let asked = try await client.beginSaaS("Zelda", hasDomain: false)
        try await world.provider.waitUntilHeld(model)
        let written = try await client.beginSaaS("Xenia", hasDomain: false)
        try await Self.waitUntil("a statement of the host is in the middle") { try await blocked.hasBlocked() }
        return Runs(ids: [made, asked, written], effect: effect, model: model)
    }

    /// Has every record of a step of one application's runs wait in the middle of its statement, with the execution's row
    /// locked: a host that is stopped then has a transaction open.
    private func withBlockedSteps(
        of application: String, _ world: SurvivalWorld, _ body: (BlockedSteps) async throws -> Void
    ) async throws {
        try await world.withDatabase { database in
            let blocked = BlockedSteps(database: database)
            try await blocked.install(for: application)
            try await body(blocked)
        }
    }

    /// Live workers: the application's name of their sessions by id.
    private static func workers(_ world: SurvivalWorld) async throws -> [String: String] {
        let rows = try await world.query("SELECT id, application_name FROM workers WHERE lease_expires_at > now()")
        return Dictionary(
            uniqueKeysWithValues: (0..<rows.count).map { (rows.text($0, 0) ?? "", rows.text($0, 1) ?? "") })
    }

    /// Looks until it is so; the suite's time limit bounds it.
    static func waitUntil(_ what: String, _ condition: () async throws -> Bool) async throws {
        while !(try await condition()) {
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}

/// Triggers of the test's own, which note whose session writes what belongs to runs.
private struct WriteAudit {
    private static let tables = [
        "template_executions", "execution_steps", "execution_logs", "execution_effects", "execution_secrets",
        "ai_api_calls", "deployments", "domain_watches", "health_monitors", "webhook_deliveries",
    ]

    private let world: SurvivalWorld

    init(_ world: SurvivalWorld) async throws {
        self.world = world
        _ = try await world.query("CREATE TABLE write_audit (application text, relation text)")
        _ = try await world.query(
            """
            CREATE FUNCTION audit_write() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO write_audit VALUES (current_setting('application_name'), TG_TABLE_NAME);
                RETURN NULL;
            END $$
            """)
        for table in Self.tables {
            _ = try await world.query(
                """
                CREATE TRIGGER audit_write AFTER INSERT OR UPDATE OR DELETE ON \(table)
                FOR EACH ROW EXECUTE FUNCTION audit_write()
                """)
        }
    }

    /// How many rows a host's sessions have written for good.
    func writes(by application: String) async throws -> Int64? {
        try await world.query("SELECT count(*) FROM write_audit WHERE application = $1", [.text(application)])
            .integer(0, 0)
    }
}

/// A trigger of the test's own, which waits for a lock that the test holds.
private struct BlockedSteps {
    /// Whatever session of the database holds it; no other test knows this database.
    private static let lock = 4_711

    let database: Database

    func install(for application: String) async throws {
        _ = try await database.query(
            """
            CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$
            BEGIN
                IF EXISTS (SELECT FROM template_executions e WHERE e.id = NEW.execution_id
                    AND e.execution_config->>'app_name' = '\(application)') THEN
                    PERFORM pg_advisory_xact_lock_shared(\(Self.lock));
                END IF;
                RETURN NEW;
            END $$
            """)
        _ = try await database.query(
            """
            CREATE TRIGGER wait_for_test BEFORE INSERT ON execution_steps FOR EACH ROW EXECUTE FUNCTION wait_for_test()
            """)
        _ = try await database.query("SELECT pg_advisory_lock(\(Self.lock))")
    }

    func hasBlocked() async throws -> Bool {
        try await database.query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            .integer(0, 0) == 1
    }

    func release() async throws { _ = try await database.query("SELECT pg_advisory_unlock(\(Self.lock))") }
}
