import Domain
import Synchronization
import Testing

@testable import Persistence

@Suite struct ExclusiveLaneTests {
    @Test func whatATransactionThrowsRollsItBack() async throws {
        try await TestDatabase.run(migrated: false) { test async throws in
            try await test.query("CREATE TABLE notes (text text)")
            let error = await #expect(throws: LedgerError.self) {
                try await test.database.transaction { session throws(DatabaseError) in
                    _ = try session.query("INSERT INTO notes VALUES ('a')")
                    throw DatabaseError.aborted(LedgerError(.rejected, "no"))
                }
            }
            #expect(error?.message == "no")
            #expect(try await test.count("SELECT count(*) FROM notes") == 0)
        }
    }

    @Test func aConnectionLostBeforeTheCommitRunsTheTransactionAgain() async throws {
        try await TestDatabase.run(migrated: false) { test async throws in
            try await test.query("CREATE TABLE notes (text text)")
            let runs = Mutex(0)
            try await test.database.transaction { session throws(DatabaseError) in
                let run = runs.withLock { runs in
                    runs += 1
                    return runs
                }
                _ = try session.query("INSERT INTO notes VALUES ($1)", [.count(run)])
                if run == 1 { _ = try session.query("SELECT pg_terminate_backend(pg_backend_pid())") }
            }
            #expect(runs.withLock { $0 } == 2)
            #expect(try await test.text("SELECT string_agg(text, ',') FROM notes") == "2")
        }
    }

    @Test func aConnectionLostWhileIdleIsReplaced() async throws {
        try await TestDatabase.run(migrated: false) { test async throws in
            try await test.another(TestDatabase.small) { other in
                try await other.transaction { session throws(DatabaseError) in
                    _ = try session.query(
                        """
                        SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
                        WHERE datname = current_database() AND pid <> pg_backend_pid()
                        """)
                }
            }
            for _ in 0..<4 { #expect(try await test.count("SELECT 1") == 1) }
        }
    }

    @Test func aSerialisationFailureRunsTheTransactionAgain() async throws {
        try await TestDatabase.run(migrated: false) { test async throws in
            try await test.query("CREATE TABLE counter (value integer)")
            try await test.query("INSERT INTO counter VALUES (0)")
            let hasRead = AsyncStream<Void>.makeStream()
            let release = EventBox()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await test.database.transaction { session throws(DatabaseError) in
                        try session.script("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                        let value = try session.query("SELECT value FROM counter").integer(0, 0) ?? 0
                        hasRead.continuation.finish()
                        release.counter.wait()
                        _ = try session.query("UPDATE counter SET value = $1::integer", [.integer(value + 1)])
                    }
                }
                for await _ in hasRead.stream {}
                try await test.query("UPDATE counter SET value = 10")
                // Once for the run that fails, once for the run after it.
                release.counter.add(2)
                try await group.waitForAll()
            }
            #expect(try await test.count("SELECT value FROM counter") == 11)
        }
    }

    /// What took too long once takes too long again, and may still be at work.
    @Test func aTransactionThatIsNotAnsweredInTimeIsNotRunAgain() async throws {
        try await TestDatabase.run(migrated: false) { test async throws in
            let runs = Mutex(0)
            let error = await #expect(throws: LedgerError.self) {
                try await test.database.transaction(answerTimeout: .milliseconds(300)) {
                    session throws(DatabaseError) in
                    runs.withLock { $0 += 1 }
                    _ = try session.query("SELECT pg_sleep(20)")
                }
            }
            #expect(error?.code == .unavailable && error?.message.contains("did not answer within") == true)
            #expect(runs.withLock { $0 } == 1)
        }
    }

    @Test func moreThanMayWaitAreRefused() async throws {
        var configuration = TestDatabase.small
        configuration.exclusiveConnections = 1
        configuration.exclusiveWaitLimit = 1
        try await TestDatabase.run(configuration: configuration, migrated: false) { test async throws in
            let started = AsyncStream<Void>.makeStream()
            let release = EventBox()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await test.database.transaction { _ throws(DatabaseError) in
                        started.continuation.finish()
                        release.counter.wait()
                    }
                }
                for await _ in started.stream {}
                // One may wait; of two, one is refused, whichever comes second.
                let codes = await withTaskGroup(of: LedgerError.Code?.self) { waiting in
                    for _ in 0..<2 {
                        waiting.addTask {
                            do throws(LedgerError) {
                                try await test.database.transaction { _ throws(DatabaseError) in }
                                return nil
                            } catch { return error.code }
                        }
                    }
                    let first = await waiting.next()
                    release.counter.add()
                    let second = await waiting.next()
                    return [first, second].compactMap { $0 }
                }
                #expect(codes == [.overloaded, nil])
                try await group.waitForAll()
            }
        }
    }
}
