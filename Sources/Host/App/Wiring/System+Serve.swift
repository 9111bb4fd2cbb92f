import API
import Domain
import Engine
import Hummingbird
import Logging
import Metering
import Outbound
import Persistence
import PluginHost
import Sandbox
import ServiceLifecycle
import UnixSignals

extension System {
    /// Everything above the database: plugins, templates, engine, API.
    static func serve(
        _ storage: Storage, worker: UUIDv7, metrics: PrometheusRegistry, sandbox: SandboxAddress?, logger: Logger,
        _ body: @escaping @Sendable (System) async throws -> Continuation
    ) async throws {
        let settings = storage.settings
        guard let data = storage.data else { throw StartFailure("serving needs a data directory") }
        _ = try await Migrator(storage.database).migrate()
        let ledger = PostgresLedger(storage.database)
        // The folder's lock is ours, so whoever worked in it is dead: its runs need not wait for its lease to expire.
        if let previous = data.previousWorker { try await ledger.release(worker: previous) }
        try data.record(worker: worker)

        let proxy = Proxy.fromEnvironment(settings.environment)
        if let fault = proxy.fault { throw StartFailure(fault) }
        let transport = HTTPClient(configuration: HTTPClient.Configuration(proxy: proxy), logger: logger)
        let blobs = try FileBlobStore(directory: data.path + "/blobs")
        let registry = Plugins.registry(
            transport: transport, blobs: blobs, logger: logger)
        let refusals = try await Plugins.load(
            settings, into: registry, overrides: sandbox?.pluginConfigurations ?? [:],
            secrets: sandbox?.pluginSecrets ?? [:])
        let catalog = PostgresCatalog(storage.database)
        let templates = try await Templates.publish(
            from: settings.templatesDirectory, with: TemplateCompiler(dispatch: registry), into: catalog,
            logger: logger)

        let engine = Engine(
            configuration: Engine.Configuration(settings), dispatch: registry, ledger: ledger, catalog: catalog,
            pricing: try prices(settings), workerID: worker, logger: logger)
        let server = APIServer(
            dependencies: APIDependencies(
                accounts: PostgresAccounts(storage.database), catalog: catalog,
                reader: PostgresReader(storage.database), admission: engine, keys: try storage.keyHasher(),
                registration: settings.isRegistrationOpen ? .open : .closed, publicURL: settings.publicURL,
                metrics: metrics, readiness: { await storage.readiness() }, version: AIBackend.version))
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let application = server.makeApplication(
            hostname: settings.host, port: settings.port, logger: logger
        ) { port in listening.yield(port) }
        let services: [any Service] = [DatabaseHousekeeping(storage.database, logger: logger), engine, application]
        try await run(services, logger: logger) {
            for await port in ports {
                return try await body(
                    System(
                        settings: settings, port: port, sandbox: sandbox, plugins: registry.plugins,
                        refusals: refusals, templateCount: templates.published, templateFaults: templates.faults,
                        isDatabasePrivate: storage.isPrivate))
            }
            return .stop
        }
        await registry.shutdown()
        await transport.shutdown()
        await blobs.close()
    }

    /// The built-in prices, under the operator's own.
    private static func prices(_ settings: Settings) throws -> PriceTable {
        guard let path = settings.pricesFile else { return .builtIn }
        guard let bytes = File.read(path, limit: 16_777_216) else {
            throw StartFailure("the price table \(path) cannot be read; check prices_file")
        }
        do {
            return PriceTable.builtIn.adding(try PriceTable(json: JSON.parse(bytes)))
        } catch let faults as Diagnostics {
            throw ValidationFailure(Diagnostics(faults.all, file: path))
        } catch {
            throw StartFailure("\(path): \(error)")
        }
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

extension Engine.Configuration {
    fileprivate init(_ settings: Settings) {
        self.init()
        lease = settings.lease
        maximumExecutions = settings.maximumExecutions
        drain = settings.drain
    }
}

extension SandboxAddress {
    /// Points each plugin at its simulator.
    fileprivate var pluginConfigurations: [String: JSON] {
        ["claude": ["base_url": .string(anthropicBaseURL)]]
    }

    /// What the simulators accept as keys: anything that is not empty. No ordinary word, for the host blots out
    /// whatever looks like a secret in what comes back.
    fileprivate var pluginSecrets: [String: String] {
        ["ANTHROPIC_API_KEY": "sk-sandbox-\(UUIDv7(at: SystemWallClock().now()))"]
    }
}

extension Storage {
    func readiness() async -> ReadinessReport {
        let isReady = (try? await Migrator(database).pending().isEmpty) ?? false
        return ReadinessReport(checks: [ReadinessReport.Check(name: "database", isReady: isReady)])
    }
}
