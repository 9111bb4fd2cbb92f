/// The right to write an execution: it belongs to one worker in one epoch. Every statement that writes an
/// execution first locks its row where owner and epoch are these; zero rows means another worker took over.
public struct Fence: Sendable, Hashable {
    public let executionID: UUIDv7
    public let worker: UUIDv7
    public let epoch: Int64

    public init(executionID: UUIDv7, worker: UUIDv7, epoch: Int64) {
        self.executionID = executionID
        self.worker = worker
        self.epoch = epoch
    }
}

/// What became of a fenced write.
public enum FenceOutcome: Sendable, Hashable {
    case applied
    /// The same write was durable before: a replay after a lost connection.
    case alreadyApplied
    /// Another worker owns the execution, or it is final. Nothing was written; the writer must stop.
    case fenced
}

/// One durable advance of an execution: everything in it commits together or not at all.
public struct Checkpoint: Sendable {
    public let fence: Fence
    /// The step that ended, if one did. A step ends once: a second record for its id changes nothing.
    public let step: StepRecord?
    /// Provider calls whose outcome is now known.
    public let settlements: [CallSettlement]
    public let logs: [LogLine]
    /// 0…100; never falls; 100 only with `completed`.
    public let progress: Int
    public let currentStep: String?
    public let cost: CostBreakdown
    /// Set when the execution ends with this checkpoint.
    public let ending: ExecutionEnding?
    /// Effects that are in another state now. Those that were never intended change nothing.
    public let effects: [Effect]
    /// Deployments as they are now.
    public let deployments: [DeploymentRecord]
    /// For the execution's webhook.
    public let events: [WebhookEvent]

    public init(
        fence: Fence, step: StepRecord? = nil, settlements: [CallSettlement] = [], logs: [LogLine] = [],
        progress: Int, currentStep: String?, cost: CostBreakdown, ending: ExecutionEnding? = nil,
        effects: [Effect] = [], deployments: [DeploymentRecord] = [], events: [WebhookEvent] = []
    ) {
        self.fence = fence
        self.step = step
        self.settlements = settlements
        self.logs = logs
        self.progress = progress
        self.currentStep = currentStep
        self.cost = cost
        self.ending = ending
        self.effects = effects
        self.deployments = deployments
        self.events = events
    }
}

/// A step that has ended.
public struct StepRecord: Sendable, Hashable {
    public let stepID: String
    public let name: String
    public let state: StepState
    /// What later steps may refer to; null unless it succeeded.
    public let output: JSON
    public let error: ExecutionError?
    public let attempts: Int
    public let startedAt: Timestamp
    public let finishedAt: Timestamp

    public init(
        stepID: String, name: String, state: StepState, output: JSON, error: ExecutionError?, attempts: Int,
        startedAt: Timestamp, finishedAt: Timestamp
    ) {
        self.stepID = stepID
        self.name = name
        self.state = state
        self.output = output
        self.error = error
        self.attempts = attempts
        self.startedAt = startedAt
        self.finishedAt = finishedAt
    }
}

/// How an execution ended.
public struct ExecutionEnding: Sendable {
    /// `completed`, `failed` or `cancelled`.
    public let state: ExecutionState
    /// The outputs by name, for `completed`; for the others what is left of value, such as the source's repository.
    public let result: JSON
    public let error: ExecutionError?
    /// Where the application answers.
    public let deployedURL: String?
    public let repositoryURL: String?

    public init(
        state: ExecutionState, result: JSON, error: ExecutionError?, deployedURL: String? = nil,
        repositoryURL: String? = nil
    ) {
        self.state = state
        self.result = result
        self.error = error
        self.deployedURL = deployedURL
        self.repositoryURL = repositoryURL
    }
}

/// One line of an execution's log.
public struct LogLine: Sendable, Hashable {
    public enum Level: String, Sendable, Hashable, CaseIterable { case debug, info, warning, error }

    /// From 1, without a gap within an execution.
    public let sequence: Int64
    public let time: Timestamp
    public let level: Level
    /// Name of the step it belongs to; nil for the execution itself.
    public let step: String?
    public let message: String

    public init(sequence: Int64, time: Timestamp, level: Level, step: String?, message: String) {
        self.sequence = sequence
        self.time = time
        self.level = level
        self.step = step
        self.message = message
    }
}
