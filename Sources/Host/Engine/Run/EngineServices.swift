public import Domain
import Logging

/// What runs and steps work with; one value for the life of the engine.
struct EngineServices: Sendable {
    let dispatch: any Dispatch
    let ledger: any ExecutionLedger
    let pricing: any Pricing
    let deployment: DeploymentPorts?
    let signals: ExecutionSignals
    let clock: EngineClock
    let retry: RetryPolicy
    let logger: Logger
    /// A random number in 0…1.
    let jitter: @Sendable () -> Double
}

/// What a run needs to bring an application into the world. An engine without them runs templates that deploy
/// nothing.
public struct DeploymentPorts: Sendable {
    public let vault: any SecretVault
    public let archives: any SourceArchives
    public let probe: any HealthProbe
    public let schemas: any SchemaInstaller
    /// Where an execution's source can be cloned from.
    public let repositoryURL: @Sendable (UUIDv7) -> String
    /// A password that nobody can guess.
    public let password: @Sendable () -> String

    public init(
        vault: any SecretVault, archives: any SourceArchives, probe: any HealthProbe, schemas: any SchemaInstaller,
        repositoryURL: @escaping @Sendable (UUIDv7) -> String, password: @escaping @Sendable () -> String
    ) {
        self.vault = vault
        self.archives = archives
        self.probe = probe
        self.schemas = schemas
        self.repositoryURL = repositoryURL
        self.password = password
    }
}
