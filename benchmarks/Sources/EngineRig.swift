import ArgumentParser
import Domain
import Engine
import Metering
import Persistence
import ServiceLifecycle

/// An engine on a real database, with a user and one template: what the server has, without its API.
struct EngineRig: Sendable {
    let ledger: ObservedLedger
    private let database: Database
    private let engine: Engine
    private let principal: Principal
    private let slug: String
    private let steps: Int

    /// Brings the schema up where it is missing.
    ///
    /// - Parameters:
    ///   - definition: the template of every execution; it has no inputs.
    ///   - executions: how many will be admitted in all.
    init(
        url: String, dispatch: any Dispatch, definition: JSON, executions: Int, inFlight: Int
    ) async throws {
        let worker = UUIDv7(at: SystemWallClock().now())
        database = try await Database.connect(
            url, configuration: DatabaseConfiguration(worker: worker), logger: Bench.logger)
        _ = try await Migrator(database).migrate()
        // Whatever is measured is admitted at once, as one user's.
        let limits = AdmissionLimits(perUser: executions, total: executions)
        ledger = ObservedLedger(PostgresLedger(database, limits: limits), executions: executions)
        principal = try await Self.register(database)

        let template = try TemplateCompiler(dispatch: dispatch).compile(definition)
        slug = template.slug
        steps = template.plan.steps.count
        let catalog = PostgresCatalog(database)
        try await catalog.publish([TemplateCategory(slug: "bench", name: "Benchmarks", description: "")])
        try await catalog.publish(template)
        var configuration = Engine.Configuration()
        configuration.maximumExecutions = inFlight
        engine = Engine(
            configuration: configuration, dispatch: dispatch, ledger: ledger, catalog: catalog,
            pricing: PriceTable.builtIn, workerID: worker, logger: Bench.logger)
    }

    private static func register(_ database: Database) async throws -> Principal {
        let now = SystemWallClock().now()
        let (user, key) = (UUIDv7(at: now), UUIDv7(at: now))
        _ = try await PostgresAccounts(database).register(
            Registration(
                userID: user, keyID: key, email: "bench-\(user)@example.com", passwordHash: nil, tier: "starter",
                keyHash: user.description, keySecretHash: user.description, isAdmin: false))
        return Principal(userID: user, keyID: key, tier: "starter", isAdmin: false)
    }

    func admit() async throws -> UUIDv7 {
        let request = ExecutionRequest(template: slug, configuration: [:], webhookURL: nil, idempotencyKey: nil)
        return try await engine.admit(request, by: principal).executionID
    }

    /// Runs the engine beside `body`, and takes everything down after it.
    func withEngine<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
        let services = ServiceGroup(services: [engine], logger: Bench.logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            let result: Result
            do { result = try await body() } catch {
                await services.triggerGracefulShutdown()
                throw error
            }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            await database.close()
            return result
        }
    }

    /// Executions one after the other, each alone on the host: from the moment the engine has taken one to its durable
    /// end, and from the request to that end. Those of the warm-up are left out.
    func runAlone(_ executions: Int, warmup: Int) async throws -> [(run: Duration, whole: Duration)] {
        try await withEngine {
            var moments = ledger.moments.makeAsyncIterator()
            var durations: [(run: Duration, whole: Duration)] = []
            var admitted: [UUIDv7] = []
            for _ in 0..<(warmup + executions) {
                let start = ContinuousClock.now
                admitted.append(try await admit())
                guard case .taken(_, let taken) = await moments.next(),
                    case .ended(_, let ended) = await moments.next()
                else { throw ValidationError("an execution was taken twice or not at all") }
                durations.append((run: ended - taken, whole: ended - start))
            }
            try await verify(admitted)
            return Array(durations.dropFirst(warmup))
        }
    }

    /// - Throws: where an execution is not what it was measured as: completed, with all its steps.
    func verify(_ executions: [UUIDv7]) async throws {
        let reader = PostgresReader(database)
        for id in executions {
            let execution = try await reader.execution(id, of: principal.userID).map { try JSON.parse(Array($0.utf8)) }
            guard execution?["status"]?.stringValue == "completed",
                execution?["completed_steps"]?.integerValue == Int64(steps)
            else { throw ValidationError("the execution \(id) did not complete its \(steps) steps") }
        }
    }
}

func median(_ durations: [Duration]) -> Duration { durations.sorted()[durations.count / 2] }
