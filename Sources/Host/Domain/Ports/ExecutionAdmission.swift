/// A run that was admitted.
public struct Admission: Sendable {
    public let executionID: UUIDv7
    public let estimatedCompletion: Timestamp

    public init(executionID: UUIDv7, estimatedCompletion: Timestamp) {
        self.executionID = executionID
        self.estimatedCompletion = estimatedCompletion
    }
}

/// Why a run was not admitted. Nothing was written.
public enum AdmissionRefusal: Error, Sendable {
    case templateNotFound
    /// The configuration does not fit the template's inputs.
    case invalidConfiguration(Diagnostics)
    /// The template cannot run on this host as it is set up now: a provider is absent or a model has no price.
    case cannotRun(Diagnostics)
    case ledger(LedgerError)
}

/// What a client asks to have run.
public struct ExecutionRequest: Sendable {
    public let template: String
    public let configuration: JSON
    public let webhookURL: String?
    public let idempotencyKey: String?

    public init(template: String, configuration: JSON, webhookURL: String?, idempotencyKey: String?) {
        self.template = template
        self.configuration = configuration
        self.webhookURL = webhookURL
        self.idempotencyKey = idempotencyKey
    }
}

/// The port through which the API starts runs.
public protocol ExecutionAdmission: Sendable {
    /// Checks the request against the template and admits it as `queued`; durable when it returns.
    func admit(_ request: ExecutionRequest, by principal: Principal) async throws(AdmissionRefusal) -> Admission
}
