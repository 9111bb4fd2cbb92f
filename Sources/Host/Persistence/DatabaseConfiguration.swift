public import Domain

/// How a `Database` uses its server.
public struct DatabaseConfiguration: Sendable {
    /// Shown in `pg_stat_activity`. Take-over finds a worker's sessions by it: it must be the worker's own.
    public var applicationName: String
    /// Connections for transactions, one at a time each. One more is opened for a worker's lease.
    public var exclusiveConnections = 4
    /// Connections whose statements share commits.
    public var sharedConnections = 4
    /// Connections for what clients read, which never waits behind what runs write, nor the other way round.
    public var readConnections = 3
    /// Transactions that may wait for a connection; one more is `overloaded`.
    public var exclusiveWaitLimit = 1_000
    /// Statements of the shared lane that may wait or be under way; one more is `overloaded`.
    public var sharedWaitLimit = 20_000
    /// The same of what clients read.
    public var readWaitLimit = 5_000
    /// How long a statement waits for a connection before it is `unavailable`, and how long making one may take.
    public var connectionWait: Duration = .seconds(5)
    /// How long the server may take to answer before the connection is given up.
    public var answerTimeout: Duration = .seconds(30)
    /// How long a statement of the shared lane waits for a row lock.
    public var lockTimeout: Duration = .milliseconds(100)

    public init(applicationName: String = "aibackend") { self.applicationName = applicationName }

    /// A configuration whose application name is the worker's own.
    public init(worker: UUIDv7) {
        // The first digits of a version 7 UUID are its time, shared by hosts that start together.
        self.init(applicationName: "aibackend-\(worker.description.suffix(12))")
    }
}
