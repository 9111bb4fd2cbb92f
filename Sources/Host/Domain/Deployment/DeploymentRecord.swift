/// One deployment of an execution's application: a row of `deployments`. Each write replaces the one before.
public struct DeploymentRecord: Sendable, Hashable {
    public enum Status: String, Sendable, Hashable, CaseIterable {
        case deploying
        /// Up, and healthy when it was last looked at.
        case live
        case failed
        /// Taken down again.
        case removed
    }

    /// The end of a log is what matters; of longer ones the beginning is dropped.
    public static let maximumLogBytes = 262_144

    public let id: UUIDv7
    public let stepID: String
    public let provider: String
    /// The provider's own id for it, once there is one.
    public var providerID: String?
    public var url: String?
    public var status: Status
    public var config: JSON
    /// Names of the variables the application was given, each with its value or, where that is secret, `{"$secret": id}`.
    public var environment: JSON
    public var buildLogs: String
    public var deployLogs: String

    public init(
        id: UUIDv7, stepID: String, provider: String, providerID: String? = nil, url: String? = nil,
        status: Status = .deploying, config: JSON = .null, environment: JSON = .null, buildLogs: String = "",
        deployLogs: String = ""
    ) {
        self.id = id
        self.stepID = stepID
        self.provider = provider
        self.providerID = providerID
        self.url = url
        self.status = status
        self.config = config
        self.environment = environment
        self.buildLogs = buildLogs
        self.deployLogs = deployLogs
    }
}
