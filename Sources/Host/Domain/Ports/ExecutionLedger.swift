/// A run to be admitted.
public struct ExecutionDraft: Sendable {
    public let id: UUIDv7
    public let userID: UUIDv7
    public let templateSlug: String
    public let configuration: JSON
    public let plan: ExecutionPlan
    public let webhookURL: String?
    /// The client's `Idempotency-Key`: the same key of the same user admits one run.
    public let idempotencyKey: String?
    /// How long the template says a run takes, where no run of it has shown.
    public let expectedDuration: Duration

    public init(
        id: UUIDv7, userID: UUIDv7, templateSlug: String, configuration: JSON, plan: ExecutionPlan,
        webhookURL: String?, idempotencyKey: String?, expectedDuration: Duration
    ) {
        self.id = id
        self.userID = userID
        self.templateSlug = templateSlug
        self.configuration = configuration
        self.plan = plan
        self.webhookURL = webhookURL
        self.idempotencyKey = idempotencyKey
        self.expectedDuration = expectedDuration
    }
}

/// A run as the ledger admitted it.
public struct AdmittedExecution: Sendable, Hashable {
    /// The draft's own, or that of the run that holds the idempotency key.
    public let id: UUIDv7
    /// The runs that wait before it, and the template's own median duration, else the draft's expectation.
    public let estimatedCompletion: Timestamp

    public init(id: UUIDv7, estimatedCompletion: Timestamp) {
        self.id = id
        self.estimatedCompletion = estimatedCompletion
    }
}

/// An execution that this worker now owns, with everything needed to go on where the last owner stopped.
public struct ClaimedExecution: Sendable {
    public let fence: Fence
    public let userID: UUIDv7
    public let configuration: JSON
    /// As stored; `ExecutionPlan.init` reads it.
    public let plan: JSON
    public let finishedSteps: [StepRecord]
    public let nextLogSequence: Int64
    public let progress: Int
    /// Provider calls of earlier owners, for the cost so far. Those that were still open are now `unknown`.
    public let calls: [PastCall]
    /// Whether an earlier worker had begun it.
    public let isResumed: Bool
    /// What earlier owners did to the outside world, or may have done, in the order in which they began it.
    public let effects: [Effect]
    /// Whether a webhook wants to hear of the run's progress.
    public let hasWebhook: Bool
    /// Why it fails, where that is on record: it can only be undone and ended.
    public let failure: ExecutionError?
    /// How often later owners have begun what earlier ones may have begun, by the name they gave it.
    public let begunAgain: [String: Int]

    public struct PastCall: Sendable {
        public let stepID: String
        public let provider: String
        public let model: String?
        public let attempt: Int
        public let state: SettlementState
        public let cost: Money
        public init(
            stepID: String, provider: String, model: String?, attempt: Int, state: SettlementState, cost: Money
        ) {
            self.state = state
            self.stepID = stepID
            self.provider = provider
            self.model = model
            self.attempt = attempt
            self.cost = cost
        }
    }

    public init(
        fence: Fence, userID: UUIDv7, configuration: JSON, plan: JSON, finishedSteps: [StepRecord],
        nextLogSequence: Int64, progress: Int, calls: [PastCall], isResumed: Bool, effects: [Effect] = [],
        hasWebhook: Bool = false, failure: ExecutionError? = nil, begunAgain: [String: Int] = [:]
    ) {
        self.fence = fence
        self.userID = userID
        self.configuration = configuration
        self.plan = plan
        self.finishedSteps = finishedSteps
        self.nextLogSequence = nextLogSequence
        self.progress = progress
        self.calls = calls
        self.isResumed = isResumed
        self.effects = effects
        self.hasWebhook = hasWebhook
        self.failure = failure
        self.begunAgain = begunAgain
    }
}

/// The port through which the engine makes progress durable. Each method is a transition, not a table.
///
/// Every method may be called again with the same arguments after a failure: it then answers what the first call
/// did or would have done. All throw `LedgerError`.
public protocol ExecutionLedger: Sendable {
    /// Admits a run as `queued`, unless one of the same user and idempotency key is there already. Its turn is behind
    /// the first run of every other user, the second of those who have one already, and so on.
    ///
    /// - Throws: `tooManyOfUser` and `tooMany` where there is no room for it.
    func admit(_ draft: ExecutionDraft) async throws(LedgerError) -> AdmittedExecution

    /// Begins or renews the worker's lease for all it owns, in the server's time.
    func renew(worker: UUIDv7, lease: Duration) async throws(LedgerError)

    /// Takes up to `limit` executions in the order of their turns: queued ones, those whose worker's lease has expired, and those
    /// that this very worker owns without running them (a claim whose answer was lost). Raises the epoch of each, and
    /// turns provider calls that the last owner left open to `unknown`.
    ///
    /// - Parameter inFlight: the executions this worker runs now.
    func claim(
        worker: UUIDv7, limit: Int, inFlight: [UUIDv7]
    ) async throws(LedgerError) -> [ClaimedExecution]

    /// Makes a provider call's row durable before the call is sent.
    func open(_ call: ProviderCall, fence: Fence) async throws(LedgerError) -> FenceOutcome

    /// Makes the intent of an effect durable before the effect begins. One that is recorded already stays as it is,
    /// unless it was undone: then it is intended anew.
    func intend(_ effect: Effect, fence: Fence) async throws(LedgerError) -> FenceOutcome

    /// Makes durable, before a provider is asked, that a later owner begins again what an earlier one may have begun:
    /// what takes its host down each time is bounded by it.
    ///
    /// - Parameter count: how often that makes; a higher one that is recorded stays.
    func begin(again name: String, count: Int, fence: Fence) async throws(LedgerError) -> FenceOutcome

    /// Makes durable why an execution fails, before what it did is undone. The first reason stays.
    func fail(_ error: ExecutionError, fence: Fence) async throws(LedgerError) -> FenceOutcome

    /// Returns when the checkpoint is durable.
    func checkpoint(_ checkpoint: Checkpoint) async throws(LedgerError) -> FenceOutcome

    /// Gives back everything the worker owns, for another to claim at once, and ends its lease.
    func release(worker: UUIDv7) async throws(LedgerError)
}

/// Why the ledger could not answer.
public struct LedgerError: Error, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable, Hashable {
        /// The database cannot be reached or is shutting down: the same call may succeed later.
        case unavailable
        /// The database refused the content of this write; sending it again cannot help.
        case rejected
        /// A reference to something that does not exist: the user, the template.
        case notFound
        /// More waits than may wait: answer the client 503 and let it come again.
        case overloaded
        /// The user has as many unfinished runs as one may have: answer 429.
        case tooManyOfUser
        /// All users together have as many unfinished runs as there may be: answer 503.
        case tooMany
    }

    public let code: Code
    /// For operators; may name constraints and SQLSTATE, never values.
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.rawValue): \(message)" }
}
