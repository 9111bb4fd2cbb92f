/// A custom domain whose DNS records are not in place yet.
public struct PendingDomain: Sendable, Hashable {
    public let executionID: UUIDv7
    public let userID: UUIDv7
    public let domain: String
    public let effect: Effect
    /// Looks before this one.
    public let attempts: Int

    public init(executionID: UUIDv7, userID: UUIDv7, domain: String, effect: Effect, attempts: Int) {
        self.executionID = executionID
        self.userID = userID
        self.domain = domain
        self.effect = effect
        self.attempts = attempts
    }
}

/// The port to domains that wait for their DNS records. Hosts share them: each is looked at by one host at a time.
public protocol DomainWatch: Sendable {
    /// Takes up to `limit` domains whose next look is due, each for a minute. Those of failed executions and of effects
    /// that are undone wait no longer.
    func takeDue(limit: Int) async throws(LedgerError) -> [PendingDomain]
    /// The domain answers: it becomes the execution's `final_url` and `deployed_url`.
    func activate(_ domain: PendingDomain) async throws(LedgerError)
    /// It does not answer yet; nil gives up.
    func postpone(_ domain: PendingDomain, by delay: Duration?) async throws(LedgerError)
}
