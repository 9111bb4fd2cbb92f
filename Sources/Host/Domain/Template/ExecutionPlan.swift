/// What the engine runs: a template compiled down to steps, with every name resolved. It is stored with the
/// execution, so that any later host can finish what this one began.
public struct ExecutionPlan: Sendable, Hashable {
    /// Rises when a stored plan changes its form; a host refuses plans newer than it knows.
    public static let formatVersion: Int64 = 1

    public let templateSlug: String
    public let templateVersion: String
    /// The template's `deployment_config`, referable as `{{deployment_config.…}}`.
    public let deploymentConfig: JSON
    /// In the template's order. A dependency is an index into this array.
    public let steps: [PlannedStep]
    /// Names that must be bound when every step is done.
    public let requiredOutputs: [String]
    /// What is looked at when every step is done.
    public let healthChecks: [HealthCheck]
    /// What is undone where the run fails.
    public let cleanup: [Cleanup]

    public init(
        templateSlug: String, templateVersion: String, deploymentConfig: JSON, steps: [PlannedStep],
        requiredOutputs: [String], healthChecks: [HealthCheck] = [], cleanup: [Cleanup] = []
    ) {
        self.templateSlug = templateSlug
        self.templateVersion = templateVersion
        self.deploymentConfig = deploymentConfig
        self.steps = steps
        self.requiredOutputs = requiredOutputs
        self.healthChecks = healthChecks
        self.cleanup = cleanup
    }

    /// One of `success_criteria.health_checks`; its texts have references, rendered at the end of the run.
    public enum HealthCheck: Sendable, Hashable {
        case http(url: String, expectedStatus: Int)
        case database(connectionString: String)
    }

    /// One of `cleanup_on_failure`.
    public enum Cleanup: String, Sendable, Hashable, CaseIterable {
        case deleteDeployment = "delete_deployment"
        case cleanupDatabase = "cleanup_database"
        case removeDomainRecords = "remove_domain_records"

        /// The command whose effect it undoes.
        public var command: SystemCommand {
            switch self {
            case .deleteDeployment: .deployApplication
            case .cleanupDatabase: .setupDatabase
            case .removeDomainRecords: .setupDomain
            }
        }
    }
}

/// One step of a plan.
public struct PlannedStep: Sendable, Hashable {
    public enum Action: Sendable, Hashable {
        case ai(AIAction)
        case system(SystemAction)
    }

    /// `step_id` as text: unique in its plan, the key of its checkpoint.
    public let id: String
    public let name: String
    /// The slug of the name: `Deployment Configuration` is `deployment_configuration`.
    public let slug: String
    public let action: Action
    /// Indices of the steps whose results this one needs, ascending.
    public let dependencies: [Int]
    /// The names its result is bound to: `expected_output`, slug, conventional alias.
    public let outputNames: [String]
    public let isOptional: Bool
    /// Bounds one attempt.
    public let timeout: Duration
    public let maximumAttempts: Int

    public init(
        id: String, name: String, slug: String, action: Action, dependencies: [Int], outputNames: [String],
        isOptional: Bool, timeout: Duration, maximumAttempts: Int
    ) {
        self.id = id
        self.name = name
        self.slug = slug
        self.action = action
        self.dependencies = dependencies
        self.outputNames = outputNames
        self.isOptional = isOptional
        self.timeout = timeout
        self.maximumAttempts = maximumAttempts
    }

    public var routeKey: RouteKey {
        switch action {
        case .ai(let action): .aiProvider(action.provider)
        case .system(let action): .command(action.command, provider: action.provider)
        }
    }
}

/// An `ai_call` step.
public struct AIAction: Sendable, Hashable {
    public let provider: String
    /// nil: the provider's configured default.
    public let model: String?
    public let system: String?
    /// With `{{references}}`, rendered when the step starts.
    public let promptTemplate: String
    public let maximumOutputTokens: Int64
    /// JSON Schema of the answer: the envelope (`summary`, `files`) and each field that later steps refer to.
    public let answerSchema: JSON

    public init(
        provider: String, model: String?, system: String?, promptTemplate: String, maximumOutputTokens: Int64,
        answerSchema: JSON
    ) {
        self.provider = provider
        self.model = model
        self.system = system
        self.promptTemplate = promptTemplate
        self.maximumOutputTokens = maximumOutputTokens
        self.answerSchema = answerSchema
    }
}

/// A `system_call` step.
public struct SystemAction: Sendable, Hashable {
    public let command: String
    public let provider: String
    /// With `{{references}}` in its strings, rendered when the step starts.
    public let parameters: JSON

    public init(command: String, provider: String, parameters: JSON) {
        self.command = command
        self.provider = provider
        self.parameters = parameters
    }
}
