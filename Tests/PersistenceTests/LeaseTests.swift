import Domain
import Testing

@testable import Persistence

@Suite struct LeaseTests {
    @Test func aLeaseIsInTheServersTimeAndRenewable() async throws {
        try await TestDatabase.run { test async throws in
            let ledger = PostgresLedger(test.database)
            let worker = TestDatabase.id()
            try await ledger.renew(worker: worker, lease: .seconds(30))
            try await ledger.renew(worker: worker, lease: .seconds(90))
            let left = try await test.count("SELECT extract(epoch FROM lease_expires_at - now())::bigint FROM workers")
            #expect((80...90).contains(left ?? 0))
        }
    }

    /// All other connections are at work; the lease has its own.
    @Test func aRenewalWaitsForNoOtherConnection() async throws {
        var few = TestDatabase.small
        few.exclusiveConnections = 1
        few.sharedConnections = 1
        few.lockTimeout = .seconds(20)
        try await TestDatabase.run(configuration: few) { test async throws in
            let started = AsyncStream<Void>.makeStream()
            let release = EventBox()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await test.database.transaction { session throws(DatabaseError) in
                        try session.script("LOCK TABLE users")
                        started.continuation.finish()
                        release.counter.wait()
                    }
                }
                for await _ in started.stream {}
                group.addTask { _ = try await test.database.execute(Statement(nil, "SELECT FROM users"), []) }
                let renewal = await Result.catching {
                    try await PostgresLedger(test.database).renew(worker: TestDatabase.id(), lease: .seconds(30))
                }
                release.counter.add()
                try await group.waitForAll()
                try renewal.get()
            }
            #expect(try await test.count("SELECT count(*) FROM workers") == 1)
        }
    }

    @Test func aRenewalGivesUpWithinAThirdOfTheLease() async throws {
        try await TestDatabase.run { test async throws in
            let ledger = PostgresLedger(test.database)
            let worker = TestDatabase.id()
            try await ledger.renew(worker: worker, lease: .seconds(30))
            let locked = AsyncStream<Void>.makeStream()
            let release = EventBox()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await test.database.transaction { session throws(DatabaseError) in
                        _ = try session.query("SELECT FROM workers FOR UPDATE")
                        locked.continuation.finish()
                        release.counter.wait()
                    }
                }
                for await _ in locked.stream {}
                let start = ContinuousClock.now
                let error = await #expect(throws: LedgerError.self) {
                    try await ledger.renew(worker: worker, lease: .milliseconds(900))
                }
                #expect(error?.code == .unavailable)
                #expect(ContinuousClock.now - start < .seconds(5))
                release.counter.add()
                try await group.waitForAll()
            }
            try await ledger.renew(worker: worker, lease: .seconds(30))
        }
    }
}
