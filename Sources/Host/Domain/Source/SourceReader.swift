/// The port to what the steps of executions wrote.
public protocol SourceReader: Sendable {
    /// What the steps that have succeeded wrote, each behind all that it depends on and else in the template's order:
    /// the same however long the steps took. nil where there is no such execution.
    func contributions(of execution: UUIDv7) async throws(LedgerError) -> [SourceContribution]?

    /// The same for one user's eyes: nil too where the execution is another's.
    func contributions(of execution: UUIDv7, user: UUIDv7) async throws(LedgerError) -> [SourceContribution]?
}
