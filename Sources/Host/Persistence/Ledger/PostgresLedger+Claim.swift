public import Domain
import Synchronization

extension PostgresLedger {
    /// A worker without a live lease claims nothing. After a start of the server, what looks expired is left alone
    /// for one lease: its owners may have had no server to renew with.
    public func claim(worker: UUIDv7, limit: Int) async throws(LedgerError) -> [ClaimedExecution] {
        guard limit > 0 else { return [] }
        let unresolved = unresolvedClaims.withLock { tokens in
            defer { tokens = [] }
            return tokens
        }
        let token = unresolved.first ?? UUIDv7(at: SystemWallClock().now())
        let claim = Claim(worker: worker, token: token)
        var taken: [ClaimedExecution] = []
        do throws(DatabaseError) {
            let first = try await database.exclusive.transaction { session throws(DatabaseError) in
                try claim.run(limit: limit, unresolved: unresolved, session)
            }
            taken = first.taken
            if !first.stuckSessions.isEmpty {
                try await end(first.stuckSessions)
                let rest = limit - taken.count
                taken += try await database.exclusive.transaction { session throws(DatabaseError) in
                    try claim.run(limit: rest, unresolved: [], session).taken
                }
            }
        } catch {
            // What this call may have taken, the next one hands out.
            var tokens = unresolved
            if case .commitUnknown = error { tokens = unresolved.isEmpty ? [token] : unresolved }
            if !taken.isEmpty, tokens.isEmpty { tokens = [token] }
            unresolvedClaims.withLock { $0 += tokens }
            throw error.ledgerError
        }
        return taken
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
