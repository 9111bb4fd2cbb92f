/// An event for an execution's webhook, committed with the checkpoint it tells of.
public struct WebhookEvent: Sendable, Hashable {
    public let id: UUIDv7
    /// `execution.started`, `execution.step_finished`, `execution.completed`, `execution.failed`.
    public let type: String
    /// The event's `data`.
    public let data: JSON

    public init(id: UUIDv7, type: String, data: JSON) {
        self.id = id
        self.type = type
        self.data = data
    }
}

/// An event that waits to be delivered.
public struct WebhookDelivery: Sendable, Hashable {
    public let event: WebhookEvent
    public let executionID: UUIDv7
    public let url: String
    /// Deliveries tried before this one.
    public let attempts: Int
    public let time: Timestamp

    public init(event: WebhookEvent, executionID: UUIDv7, url: String, attempts: Int, time: Timestamp) {
        self.event = event
        self.executionID = executionID
        self.url = url
        self.attempts = attempts
        self.time = time
    }
}

public enum WebhookOutcome: Sendable, Hashable {
    case delivered
    /// Tried again after this long.
    case postponed(Duration, reason: String)
    /// Given up.
    case dead(reason: String)
}

/// The port to events that wait. Hosts share them: each is tried by one host at a time.
public protocol WebhookOutbox: Sendable {
    /// Takes up to `limit` events that are due, each for `lease`. Events of one execution come in their order, the
    /// next only when the one before is delivered or dead.
    func takeDue(limit: Int, lease: Duration) async throws(LedgerError) -> [WebhookDelivery]
    func settle(_ delivery: WebhookDelivery, _ outcome: WebhookOutcome) async throws(LedgerError)
}
