public import Domain
import Logging

extension PostgresLedger {
    /// Executions that cannot be read and are passed over by one claim, at most.
    private static let unreadableLimit = 16

    /// A worker without a live lease claims nothing. One that has not held its lease for a whole one yet leaves alone
    /// what looks expired: its owner may have had no server to renew with either.
    ///
    /// - Throws: `rejected` where there is nothing but executions that cannot be read. They are not taken, and do not
    ///   stand in the way of others.
    public func claim(
        worker: UUIDv7, limit: Int, inFlight: [UUIDv7]
    ) async throws(LedgerError) -> [ClaimedExecution] {
        guard limit > 0 else { return [] }
        var taken: [ClaimedExecution] = []
        do throws(DatabaseError) {
            let first = try await take(limit, for: worker, excluding: inFlight)
            taken = first.taken
            if !first.stuckSessions.isEmpty {
                try await end(first.stuckSessions)
                let known = inFlight + taken.map(\.fence.executionID)
                taken += try await take(limit - taken.count, for: worker, excluding: known).taken
            }
        } catch {
            // What was taken is this worker's to run, whatever became of the rest.
            if taken.isEmpty { throw error.ledgerError }
        }
        return taken
    }

    /// One claim, made again without those that cannot be read. What took them is rolled back.
    private func take(
        _ limit: Int, for worker: UUIDv7, excluding excluded: [UUIDv7]
    ) async throws(DatabaseError) -> Claim.Outcome {
        var unreadable: [UUIDv7] = []
        var failure: DatabaseError?
        while true {
            let claim = Claim(worker: worker, excluded: excluded + unreadable)
            do throws(DatabaseError) {
                let outcome = try await database.exclusive.transaction { session throws(DatabaseError) in
                    try claim.run(limit: limit, session)
                }
                if let failure, outcome.taken.isEmpty, outcome.stuckSessions.isEmpty { throw failure }
                return outcome
            } catch {
                guard case .unreadable(let execution, _) = error, !unreadable.contains(execution),
                    unreadable.count < Self.unreadableLimit
                else { throw error }
                database.logger.error("an execution was passed over", metadata: ["reason": "\(error.ledgerError)"])
                unreadable.append(execution)
                failure = error
            }
        }
    }

    /// Ends the sessions of dead workers that still hold rows of what they owned: a stopped host's half-sent batch
    /// keeps its locks for as long as its connection stands. Waits for their end, up to a second each.
    private func end(_ applicationNames: [String]) async throws(DatabaseError) {
        try await database.exclusive.transaction { session throws(DatabaseError) in
            for name in applicationNames {
                _ = try session.query(
                    """
                    SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
                    WHERE application_name = $1 AND datname = current_database() AND usename = current_user
                        AND pid <> pg_backend_pid()
                    """, [.text(name)])
            }
        }
    }
}
