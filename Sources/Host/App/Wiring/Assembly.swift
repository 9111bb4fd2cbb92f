import CoreProvider
import Domain
import Engine
import Logging
import Metering
import Outbound
import Persistence
import PluginHost
import Repositories
import Sandbox
import ServiceLifecycle
import Webhooks

/// Everything of one host above its database and below its API, put together.
struct Assembly: Sendable {
    let storage: Storage
    let transport: HTTPClient
    let blobs: FileBlobStore
    let registry: PluginRegistry
    let refusals: [PluginRefusal]
    let dispatch: CoreDispatch
    let catalog: PostgresCatalog
    let prices: PriceTable
    let vault: PostgresSecretVault
    let signer: WebhookSigner
    let sources: GitSourceService
    let signals = ExecutionSignals()
    let address: ListeningAddress
    private let deployment: DeploymentPorts
    private let monitors: PostgresMonitors
    private let reach: EgressPolicy.Reach
    let logger: Logger

    init(_ storage: Storage, sandbox: RunningSandbox?, logger: Logger) async throws {
        let settings = storage.settings
        guard let data = storage.data else { throw StartFailure("serving needs a data directory") }
        let key = try storage.encryptionKey()
        vault = try PostgresSecretVault(storage.database, key: key)
        try await Self.check(vault)
        signer = WebhookSigner(serverKey: key)
        let proxy = Proxy.fromEnvironment(settings.environment)
        if let fault = proxy.fault { throw StartFailure(fault) }
        transport = HTTPClient(configuration: HTTPClient.Configuration(proxy: proxy), logger: logger)
        blobs = try FileBlobStore(directory: data.path + "/blobs")
        registry = Plugins.registry(transport: transport, blobs: blobs, logger: logger)
        refusals = try await Plugins.load(
            settings, into: registry, overrides: sandbox?.address.pluginConfigurations ?? [:],
            secrets: sandbox?.address.pluginSecrets ?? [:])
        monitors = PostgresMonitors(storage.database)
        dispatch = CoreDispatch(
            over: registry,
            core: CoreProvider(
                version: AIBackend.version,
                databases: try Self.databases(settings, sandbox: sandbox, logger: logger), monitors: monitors))
        catalog = PostgresCatalog(storage.database)
        prices = try Prices.load(settings)
        address = ListeningAddress(settings)
        let repositories = try GitRepositories(
            directory: data.path + "/repositories", git: GitExecutable.find(), logger: logger)
        let reader = PostgresSources(storage.database)
        sources = GitSourceService(repositories: repositories, reader: reader)
        // Applications are where their providers put them: in the sandbox on this very machine.
        reach = sandbox == nil && !settings.allowsPrivateDeployments ? .anyPublic : .any
        let database = PostgresConnectionProbe(logger: logger)
        let origin = ContinuousClock.now
        deployment = DeploymentPorts(
            vault: vault, archives: GitSourceArchives(repositories: repositories, reader: reader, blobs: blobs),
            probe: ServiceProbe(
                transport: transport, egress: EgressPolicy(reach: reach), instant: { ContinuousClock.now - origin },
                database: { await database.probe($0, timeout: $1) }),
            schemas: PostgresSchemaInstaller(logger: logger),
            repositoryURL: { [address] in address.repository(of: $0) }, password: { Password.make() })
        self.storage = storage
        self.logger = logger
    }

    /// Where applications get their databases: on the operator's server, in the sandbox on its own.
    private static func databases(
        _ settings: Settings, sandbox: RunningSandbox?, logger: Logger
    ) throws -> (any ApplicationDatabases)? {
        guard let url = settings.appDatabaseURL else { return sandbox?.applications }
        guard url != settings.databaseURL else {
            throw StartFailure(
                "APP_DATABASE_URL is the server of the ledger; applications' databases need a server of their own")
        }
        do { return try PostgresApplicationDatabases(adminURL: url, logger: logger) } catch {
            throw StartFailure("APP_DATABASE_URL: \(error)")
        }
    }

    /// A host that cannot read what others have encrypted must not start.
    private static func check(_ vault: PostgresSecretVault) async throws {
        guard let other = try await vault.foreignKeyID() else { return }
        throw StartFailure(
            "secrets in the database were encrypted with another key (\(other)) than this host's (\(vault.keyID)); "
                + "start it with the ENCRYPTION_KEY that the database was used with")
    }

    func makeEngine(worker: UUIDv7, ledger: PostgresLedger) -> Engine {
        Engine(
            configuration: Engine.Configuration(storage.settings), dispatch: dispatch, ledger: ledger,
            catalog: catalog, pricing: prices, deployment: deployment, signals: signals, workerID: worker,
            logger: logger)
    }

    /// What runs beside engine and API for as long as the host does.
    var backgroundServices: [any Service] {
        var webhooks = WebhookSender.Configuration()
        if storage.settings.allowsPrivateWebhooks { webhooks.reach = .any }
        return [
            DatabaseHousekeeping(storage.database, logger: logger),
            HealthMonitoring(store: monitors, probe: deployment.probe, logger: logger),
            DomainVerification(watch: PostgresDomainWatch(storage.database), dispatch: dispatch, logger: logger),
            WebhookSender(
                outbox: PostgresWebhookOutbox(storage.database), transport: transport, signer: signer,
                configuration: webhooks, logger: logger),
        ]
    }

    func shutdown() async {
        await registry.shutdown()
        await transport.shutdown()
        await blobs.close()
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
        [
            "claude": ["base_url": .string(anthropicBaseURL)], "codex": ["base_url": .string(openAIBaseURL)],
            "railway": ["base_url": .string(railwayBaseURL), "poll_interval_ms": 100],
        ]
    }

    /// What the simulators accept as keys: anything that is not empty. No ordinary word, for the host blots out
    /// whatever looks like a secret in what comes back.
    fileprivate var pluginSecrets: [String: String] {
        let names = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "RAILWAY_TOKEN"]
        return Dictionary(
            uniqueKeysWithValues: names.map { ($0, "sk-sandbox-\(UUIDv7(at: SystemWallClock().now()))") })
    }
}
