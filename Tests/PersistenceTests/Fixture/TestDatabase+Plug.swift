import Domain

@testable import Persistence

extension TestDatabase {
    /// One connection for the shared lane, and time for what waits behind a lock.
    static var oneLane: DatabaseConfiguration {
        var configuration = small
        configuration.sharedConnections = 1
        configuration.exclusiveConnections = 4
        configuration.lockTimeout = .seconds(20)
        configuration.connectionWait = .seconds(20)
        return configuration
    }

    /// Holds the only connection of the shared lane while `submit` gives it statements, so that they wait together
    /// and travel together.
    func together<Value: Sendable>(
        _ submit: () async throws -> [Task<Value, any Error>]
    ) async throws -> [Result<Value, any Error>] {
        let locked = AsyncStream<Void>.makeStream()
        let release = EventBox()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await database.transaction { session throws(DatabaseError) in
                    _ = try session.query("SELECT pg_advisory_xact_lock(1)")
                    locked.continuation.finish()
                    release.counter.wait()
                }
            }
            for await _ in locked.stream {}
            group.addTask { _ = try await database.execute(Statement(nil, "SELECT pg_advisory_xact_lock(1)"), []) }
            try await untilOneWaits(for: "advisory")
            let tasks = try await submit()
            release.counter.add()
            try await group.waitForAll()
            var results: [Result<Value, any Error>] = []
            for task in tasks { results.append(await task.result) }
            return results
        }
    }

    /// Returns when a session of this database waits for a lock of the kind that `pg_stat_activity` names so.
    func untilOneWaits(for kind: String) async throws {
        let waiting = """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = $1
            """
        while try await count(waiting, [.text(kind)]) == 0 {}
    }

    /// Statements that the only connection of the shared lane has prepared for many at once.
    func preparedForMany() async throws -> Int64? {
        let sql = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE '%-batched'"
        return try await database.execute(Statement(nil, sql), []).integer(0, 0)
    }

    /// Runs that one worker owns.
    func makeClaimed(count: Int) async throws -> [ClaimedExecution] {
        let user = try await makeUser()
        for _ in 0..<count { _ = try await makeExecution(user: user) }
        let ledger = PostgresLedger(database)
        let worker = Self.id()
        try await ledger.renew(worker: worker, lease: .seconds(60))
        return try await ledger.claim(worker: worker, limit: count, inFlight: [])
    }
}
