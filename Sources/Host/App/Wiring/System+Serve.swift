import API
import Domain
import Engine
import Hummingbird
import Logging
import Persistence
import PluginHost
import ServiceLifecycle
import UnixSignals
import Webhooks

extension System {
    /// Everything above the database: plugins, templates, engine, API.
    static func serve(
        _ storage: Storage, worker: UUIDv7, metrics: PrometheusRegistry, sandbox: RunningSandbox?, logger: Logger,
        _ body: @escaping @Sendable (System) async throws -> Continuation
    ) async throws {
        _ = try await Migrator(storage.database).migrate()
        let ledger = PostgresLedger(
            storage.database,
            limits: AdmissionLimits(perUser: storage.settings.executionsPerUser, total: storage.settings.executions))
        // The folder's lock is ours, so whoever worked in it is dead: its runs need not wait for its lease to expire.
        if let previous = storage.data?.previousWorker { try await ledger.release(worker: previous) }
        try storage.data?.record(worker: worker)
        let assembly = try await Assembly(storage, sandbox: sandbox, logger: logger)
        let templates = try await Templates.publish(
            from: storage.settings.templatesDirectory, with: TemplateCompiler(dispatch: assembly.dispatch),
            into: assembly.catalog, logger: logger)
        let engine = assembly.makeEngine(worker: worker, ledger: ledger)
        let server = APIServer(dependencies: try dependencies(assembly, engine, metrics))
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let application = server.makeApplication(
            hostname: storage.settings.host, port: storage.settings.port, logger: logger
        ) { port in
            assembly.address.listens(on: port)
            listening.yield(port)
        }
        let services = assembly.backgroundServices + [engine, application]
        try await run(services, logger: logger) {
            for await port in ports {
                return try await body(
                    System(
                        settings: storage.settings, port: port, sandbox: sandbox?.address,
                        plugins: assembly.registry.plugins, refusals: assembly.refusals,
                        templateCount: templates.published, templateFaults: templates.faults,
                        isDatabasePrivate: storage.isPrivate, assembly: assembly))
            }
            return .stop
        }
        await assembly.shutdown()
    }

    private static func dependencies(
        _ assembly: Assembly, _ engine: Engine, _ metrics: PrometheusRegistry
    ) throws -> APIDependencies {
        let storage = assembly.storage
        let signer = assembly.signer
        return APIDependencies(
            accounts: PostgresAccounts(storage.database), catalog: assembly.catalog,
            reader: PostgresReader(storage.database), admission: engine, keys: try storage.keyHasher(),
            registration: storage.settings.isRegistrationOpen ? .open : .closed,
            publicURL: storage.settings.publicURL, metrics: metrics, readiness: { await storage.readiness() },
            version: AIBackend.version, signals: assembly.signals, vault: assembly.vault, sources: assembly.sources,
            webhookSecret: { signer.secret(of: $0) }, maximumConnections: try connections(assembly))
    }

    /// As many as the settings say, or as many as there are files for beside what else needs some.
    private static func connections(_ assembly: Assembly) throws -> Int {
        let wanted = assembly.storage.settings.connections
        let possible = OpenFiles.raiseLimit() - OpenFiles.reserve
        guard possible >= 64 else {
            throw StartFailure(
                "this process may open \(possible + OpenFiles.reserve) files, which is too few; raise `ulimit -n` to "
                    + "\(OpenFiles.reserve + 64) at least")
        }
        if possible < wanted {
            assembly.logger.warning(
                "fewer connections than limits.connections, for want of files",
                metadata: ["connections": "\(possible)", "limits.connections": "\(wanted)"])
        }
        return min(wanted, possible)
    }

    /// Runs the services with `body` beside them; the last stops first.
    private static func run(
        _ services: [any Service], logger: Logger,
        _ body: @escaping @Sendable () async throws -> Continuation
    ) async throws {
        let services = ServiceGroup(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    if try await body() == .stop { await services.triggerGracefulShutdown() }
                } catch {
                    await services.triggerGracefulShutdown()
                    throw error
                }
            }
            try await services.run()
            // With the services down, whatever `body` still waits for will not come.
            group.cancelAll()
            try await group.waitForAll()
        }
    }
}

extension Storage {
    func readiness() async -> ReadinessReport {
        let isReady = (try? await Migrator(database).pending().isEmpty) ?? false
        return ReadinessReport(checks: [ReadinessReport.Check(name: "database", isReady: isReady)])
    }
}
