public import Domain

extension WebhookSender {
    /// How the outbox is delivered. An operator sets the reach.
    public struct Configuration: Sendable {
        /// Deliveries at once.
        public var width: Int
        /// Bounds one delivery from the name's resolution to the answer's end.
        public var timeout: Duration
        /// How long an event is this host's: longer than a delivery and the recording of its outcome take.
        public var lease: Duration
        /// Between two looks at the outbox where nothing else is a reason to look.
        public var pollInterval: Duration
        /// What deliveries under way get at a shutdown.
        public var grace: Duration
        /// Where a client's URL may lead.
        public var reach: EgressPolicy.Reach

        public init(
            width: Int = 32, timeout: Duration = .seconds(15), lease: Duration = .seconds(60),
            pollInterval: Duration = .seconds(1), grace: Duration = .seconds(5),
            reach: EgressPolicy.Reach = .anyPublic
        ) {
            self.width = width
            self.timeout = timeout
            self.lease = lease
            self.pollInterval = pollInterval
            self.grace = grace
            self.reach = reach
        }
    }
}
