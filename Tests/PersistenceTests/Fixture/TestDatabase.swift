import Domain
import Logging

@testable import Persistence

/// A database of one test, with a connection pool of its own.
struct TestDatabase: Sendable {
    let url: String
    let database: Database

    /// Runs a test on a fresh, migrated database.
    static func run(
        configuration: DatabaseConfiguration = small, migrated: Bool = true,
        _ body: (TestDatabase) async throws -> Void
    ) async throws {
        let url = try await TestServer.makeDatabase(migrated: migrated)
        let database = try await Database.connect(url, configuration: configuration, logger: TestServer.logger)
        let result = await Result.catching { try await body(TestDatabase(url: url, database: database)) }
        await database.close()
        try await TestServer.dropDatabase(url)
        try result.get()
    }

    static var small: DatabaseConfiguration {
        var configuration = DatabaseConfiguration()
        configuration.exclusiveConnections = 2
        configuration.sharedConnections = 2
        configuration.readConnections = 1
        return configuration
    }

    /// A second pool on the same database, for another worker.
    func another(
        _ configuration: DatabaseConfiguration, _ body: (Database) async throws -> Void
    ) async throws {
        let other = try await Database.connect(url, configuration: configuration, logger: TestServer.logger)
        let result = await Result.catching { try await body(other) }
        await other.close()
        try result.get()
    }

    @discardableResult
    func query(_ sql: String, _ parameters: [SQLValue] = []) async throws -> Rows {
        try await database.transaction { session throws(DatabaseError) in try session.query(sql, parameters) }
    }

    func text(_ sql: String, _ parameters: [SQLValue] = []) async throws -> String? {
        let rows = try await query(sql, parameters)
        return rows.isEmpty ? nil : rows.text(0, 0)
    }

    func count(_ sql: String, _ parameters: [SQLValue] = []) async throws -> Int64? {
        try await query(sql, parameters).integer(0, 0)
    }
}

/// Rows that most tests start from.
extension TestDatabase {
    static func id() -> UUIDv7 { UUIDv7(at: SystemWallClock().now()) }

    func makeUser(tier: String = "starter") async throws -> UUIDv7 {
        let id = Self.id()
        let registration = Registration(
            userID: id, keyID: Self.id(), email: "\(id)@example.com", passwordHash: nil, tier: tier,
            keyHash: "hash-\(id)", keySecretHash: "secret-\(id)", isAdmin: false)
        guard case .created = try await PostgresAccounts(database).register(registration) else {
            throw TestFailure("the user was not created")
        }
        return id
    }

    /// Publishes `demo` and admits one run of it.
    func makeExecution(user: UUIDv7, key: String? = nil, webhook: String? = nil) async throws -> UUIDv7 {
        try await PostgresCatalog(database).publish(.demo())
        return try await PostgresLedger(database).admit(.demo(user: user, key: key, webhook: webhook)).id
    }

    /// A run that `worker` owns.
    func makeClaimed(
        worker: UUIDv7 = id(), lease: Duration = .seconds(60), webhook: String? = nil
    ) async throws -> ClaimedExecution {
        let user = try await makeUser()
        _ = try await makeExecution(user: user, webhook: webhook)
        let ledger = PostgresLedger(database)
        try await ledger.renew(worker: worker, lease: lease)
        guard let claimed = try await ledger.claim(worker: worker, limit: 1, inFlight: []).first else {
            throw TestFailure("nothing was claimed")
        }
        return claimed
    }
}

/// Leases, without waiting for one to end.
extension TestDatabase {
    /// Begins a lease that is as if held for long enough to take over what others left.
    func makeSteady(_ worker: UUIDv7) async throws {
        try await PostgresLedger(database).renew(worker: worker, lease: .seconds(60))
        try await query("UPDATE workers SET steady_since = now() - 2 * lease WHERE id = $1::uuid", [.uuid(worker)])
    }

    /// As if the worker had fallen silent a lease ago.
    func expireLease(of worker: UUIDv7) async throws {
        try await query(
            "UPDATE workers SET lease_expires_at = now() - interval '1 second' WHERE id = $1::uuid", [.uuid(worker)])
    }

    /// Lets another worker take over what `first` owns.
    func takeOver(_ first: Fence) async throws -> ClaimedExecution {
        try await expireLease(of: first.worker)
        let successor = Self.id()
        try await makeSteady(successor)
        let claimed = try await PostgresLedger(database).claim(worker: successor, limit: 10, inFlight: [])
        guard let taken = claimed.first(where: { $0.fence.executionID == first.executionID }) else {
            throw TestFailure("nothing was taken over")
        }
        return taken
    }
}

extension Template {
    static func demo(
        slug: String = "demo", version: String = "1.0.0", category: String = "saas",
        complexity: Complexity = .beginner, maximum: Money? = Money(decimal: "15.00"), note: String = "",
        inputs: [InputDeclaration] = []
    ) -> Template {
        Template(
            slug: slug, name: "Demo \(slug)", version: version, description: "For tests", author: nil,
            category: category, tags: ["a", "b"], complexity: complexity, estimatedMinutes: 5,
            estimatedCostMinimum: Money(decimal: "8.50"), estimatedCostMaximum: maximum, inputs: inputs,
            plan: .demo(slug: slug), source: ["template": ["metadata": ["id": .string(slug), "note": .string(note)]]])
    }
}

extension ExecutionPlan {
    static func demo(slug: String = "demo") -> ExecutionPlan {
        ExecutionPlan(
            templateSlug: slug, templateVersion: "1.0.0", deploymentConfig: ["provider": "railway"],
            steps: ["1", "2"].map { id in
                PlannedStep(
                    id: id, name: "Step \(id)", slug: "step_\(id)",
                    action: .system(SystemAction(command: "noop", provider: "core", parameters: .null)),
                    dependencies: [], outputNames: [], isOptional: false, timeout: .seconds(60), maximumAttempts: 1)
            }, requiredOutputs: [])
    }
}

extension ExecutionDraft {
    static func demo(
        user: UUIDv7, template: String = "demo", key: String? = nil, webhook: String? = nil,
        plan: ExecutionPlan = .demo(), expected: Duration = .seconds(300)
    ) -> ExecutionDraft {
        ExecutionDraft(
            id: TestDatabase.id(), userID: user, templateSlug: template, configuration: ["app_name": "Ünïcode 🚀"],
            plan: plan, webhookURL: webhook, idempotencyKey: key, expectedDuration: expected)
    }
}

extension Checkpoint {
    /// A checkpoint of a fence with the parts a test is about.
    static func make(
        _ fence: Fence, step: StepRecord? = nil, settlements: [CallSettlement] = [], logs: [LogLine] = [],
        progress: Int = 10, cost: CostBreakdown = CostBreakdown(), ending: ExecutionEnding? = nil,
        effects: [Effect] = [], deployments: [DeploymentRecord] = [], events: [WebhookEvent] = []
    ) -> Checkpoint {
        Checkpoint(
            fence: fence, step: step, settlements: settlements, logs: logs, progress: progress, currentStep: "Step 1",
            cost: cost, ending: ending, effects: effects, deployments: deployments, events: events)
    }
}

extension StepRecord {
    static func make(_ id: String = "1", output: JSON = ["answer": 42], error: ExecutionError? = nil) -> StepRecord {
        StepRecord(
            stepID: id, name: "Step \(id)", state: error == nil ? .succeeded : .failed, output: output, error: error,
            attempts: 1, startedAt: Timestamp(microseconds: 1_700_000_000_123_456),
            finishedAt: Timestamp(microseconds: 1_700_000_001_654_321))
    }
}

extension LogLine {
    static func make(_ sequence: Int64, _ message: String = "line") -> LogLine {
        LogLine(
            sequence: sequence, time: Timestamp(microseconds: 1_700_000_000_000_000 + sequence), level: .info,
            step: nil, message: message)
    }
}
