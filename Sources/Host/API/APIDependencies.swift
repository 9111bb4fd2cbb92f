public import Domain

/// Everything the API needs from the rest of the host.
public struct APIDependencies: Sendable {
    public let accounts: any AccountStore
    public let catalog: any TemplateCatalog
    public let reader: any ExecutionReader
    public let admission: any ExecutionAdmission
    public let keys: APIKeyHasher
    public let passwords: PasswordHasher
    public let registration: RegistrationMode
    public let clock: any WallClock
    /// Where clients reach this server, as `https://api.example.com`: begins the links in answers. nil gives links
    /// that begin at the path.
    public let publicURL: String?
    public let metrics: PrometheusRegistry
    /// Asked by `/ready` each time; must answer within a probe's patience, a second or so.
    public let readiness: @Sendable () async -> ReadinessReport
    public let version: String
    /// Says when an execution of this host has something new.
    public let signals: ExecutionSignals
    /// Shows an execution's secrets to its owner.
    public let vault: any SecretVault
    public let sources: any SourceService
    /// What signs the webhooks of an execution: answered where a webhook is asked for. nil where none are sent.
    public let webhookSecret: (@Sendable (_ execution: UUIDv7) -> String)?
    /// Paces what is sent while nothing happens.
    public let timer: any Clock<Duration>
    /// Log streams under way.
    public let streamLimits: StreamLimits
    /// Clones under way.
    public let cloneLimits: StreamLimits
    /// Requests under way that are neither.
    public let requestLimits: StreamLimits
    /// Connections at once.
    public let maximumConnections: Int
    /// Bytes of answers that clients have not taken yet; beyond it nothing more is answered.
    public let maximumUnreadBytes: Int

    public init(
        accounts: any AccountStore, catalog: any TemplateCatalog, reader: any ExecutionReader,
        admission: any ExecutionAdmission, keys: APIKeyHasher, passwords: PasswordHasher = PasswordHasher(),
        registration: RegistrationMode, clock: any WallClock = SystemWallClock(), publicURL: String?,
        metrics: PrometheusRegistry, readiness: @escaping @Sendable () async -> ReadinessReport, version: String,
        signals: ExecutionSignals, vault: any SecretVault, sources: any SourceService,
        webhookSecret: (@Sendable (_ execution: UUIDv7) -> String)? = nil,
        timer: any Clock<Duration> = ContinuousClock(), streamLimits: StreamLimits = .logs,
        cloneLimits: StreamLimits = .clones, requestLimits: StreamLimits = .requests,
        maximumConnections: Int = 10_000, maximumUnreadBytes: Int = 256 << 20
    ) {
        self.accounts = accounts
        self.catalog = catalog
        self.reader = reader
        self.admission = admission
        self.keys = keys
        self.passwords = passwords
        self.registration = registration
        self.clock = clock
        self.publicURL = publicURL
        self.metrics = metrics
        self.readiness = readiness
        self.version = version
        self.signals = signals
        self.vault = vault
        self.sources = sources
        self.webhookSecret = webhookSecret
        self.timer = timer
        self.streamLimits = streamLimits
        self.cloneLimits = cloneLimits
        self.requestLimits = requestLimits
        self.maximumConnections = maximumConnections
        self.maximumUnreadBytes = maximumUnreadBytes
    }

    /// - Parameter path: Begins with a slash.
    func link(to path: String) -> String {
        (publicURL?.droppingTrailingSlashes ?? "") + path
    }
}

/// Whether anyone may open an account.
public enum RegistrationMode: String, Sendable, Hashable, CaseIterable {
    case open
    /// Accounts come from the operator alone.
    case closed
}

/// What `/ready` answers: 200 where every check passed, else 503.
public struct ReadinessReport: Sendable, Hashable {
    public struct Check: Sendable, Hashable {
        public let name: String
        public let isReady: Bool
        /// Shown to whoever asks: no secrets, no addresses.
        public let detail: String?

        public init(name: String, isReady: Bool, detail: String? = nil) {
            self.name = name
            self.isReady = isReady
            self.detail = detail
        }
    }

    public let checks: [Check]

    public init(checks: [Check]) { self.checks = checks }

    public var isReady: Bool { checks.allSatisfy(\.isReady) }
}
