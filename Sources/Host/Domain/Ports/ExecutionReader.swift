/// The port through which the API shows executions. JSON comes as text, ready to be spliced into a response.
public protocol ExecutionReader: Sendable {
    /// The API's `Execution` object, or nil where this user has no such execution.
    func execution(_ id: UUIDv7, of user: UUIDv7) async throws(LedgerError) -> String?

    /// A JSON array of log lines with a sequence above `after`, at most `limit`, without a gap; nil where this
    /// user has no such execution.
    func logs(_ id: UUIDv7, of user: UUIDv7, after: Int64, limit: Int) async throws(LedgerError) -> LogPage?

    /// The API's list of what an execution made in the outside world, as a JSON object; nil where this user has no
    /// such execution.
    func resources(_ id: UUIDv7, of user: UUIDv7) async throws(LedgerError) -> String?
}

public struct LogPage: Sendable {
    /// A JSON array of `{sequence, timestamp, level, step, message}`.
    public let lines: String
    public let lastSequence: Int64
    /// Whether more lines wait behind this page.
    public let hasMore: Bool
    /// The execution's state when the lines were read, as one look at both; nil where the reader does not say.
    public let state: ExecutionState?

    public init(lines: String, lastSequence: Int64, hasMore: Bool, state: ExecutionState? = nil) {
        self.lines = lines
        self.lastSequence = lastSequence
        self.hasMore = hasMore
        self.state = state
    }
}
