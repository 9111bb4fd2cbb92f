import Domain
import Testing

@testable import Persistence

@Suite struct SharedLaneTests {
    private static let insert = Statement(
        "insert", "INSERT INTO numbers (value) VALUES ($1::integer) ON CONFLICT DO NOTHING")

    private static func withNumbers(
        _ configuration: DatabaseConfiguration = TestDatabase.small, _ body: (TestDatabase) async throws -> Void
    ) async throws {
        try await TestDatabase.run(configuration: configuration, migrated: false) { test async throws in
            try await test.query("CREATE TABLE numbers (value integer PRIMARY KEY CHECK (value <> 13))")
            try await body(test)
        }
    }

    /// Carries out an insert a number, all at once. Answers the refused numbers.
    private static func insertAll(_ numbers: some Sequence<Int> & Sendable, _ test: TestDatabase) async -> [Int] {
        await withTaskGroup(of: Int?.self) { group in
            for number in numbers {
                group.addTask {
                    do throws(LedgerError) {
                        _ = try await test.database.execute(insert, [.count(number)])
                        return nil
                    } catch {
                        return number
                    }
                }
            }
            var refused: [Int] = []
            for await number in group { if let number { refused.append(number) } }
            return refused
        }
    }

    @Test func aThousandStatementsAtOnceAllCommit() async throws {
        try await Self.withNumbers { test async throws in
            #expect(await Self.insertAll(100..<1_100, test).isEmpty)
            #expect(try await test.count("SELECT count(*) FROM numbers") == 1_000)
        }
    }

    @Test func aBadStatementAmongStrangersFailsAlone() async throws {
        var one = TestDatabase.small
        one.sharedConnections = 1
        try await Self.withNumbers(one) { test async throws in
            // 13 violates the check: whatever batch it is in is rolled back, and the others are carried out again.
            #expect(await Self.insertAll(0..<200, test) == [13])
            #expect(try await test.count("SELECT count(*) FROM numbers") == 199)
        }
    }

    @Test func refusalsSayWhatKindTheyAre() async throws {
        try await Self.withNumbers { test async throws in
            let refused = await #expect(throws: LedgerError.self) {
                try await test.database.execute(Self.insert, [.count(13)])
            }
            #expect(refused?.code == .rejected)
            let message = refused?.message ?? ""
            #expect(message.contains("23514") && message.contains("numbers_value_check"))
            let malformed = await #expect(throws: LedgerError.self) {
                try await test.database.execute(Self.insert, [.text("secret-value")])
            }
            #expect(malformed?.code == .rejected && malformed?.message.contains("secret-value") == false)
            let zero = await #expect(throws: LedgerError.self) {
                try await test.database.execute(Statement(nil, "SELECT $1::text"), [.text("a\0b")])
            }
            #expect(zero?.code == .rejected)
        }
    }

    @Test func lostConnectionsAreReplacedAndTheirStatementsReplayed() async throws {
        try await Self.withNumbers { test async throws in
            let kill = Statement(
                nil,
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
                """)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for round in 0..<5 {
                    group.addTask {
                        #expect(await Self.insertAll(round * 100 + 1_000..<round * 100 + 1_100, test).isEmpty)
                    }
                }
                group.addTask {
                    // The exclusive lane's session survives its own statement, and ends all others.
                    try await test.query(kill.sql)
                }
                try await group.waitForAll()
            }
            try await test.query(kill.sql)
            #expect(await Self.insertAll(2_000..<2_100, test).isEmpty)
            #expect(try await test.count("SELECT count(*) FROM numbers") == 600)
        }
    }

    @Test func aStatementThatEndsItsOwnSessionIsGivenUpAndSparesStrangers() async throws {
        var one = TestDatabase.small
        one.sharedConnections = 1
        try await Self.withNumbers(one) { test async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let error = await #expect(throws: LedgerError.self) {
                        try await test.database.execute(
                            Statement(nil, "SELECT pg_terminate_backend(pg_backend_pid())"), [])
                    }
                    #expect(error?.code == .unavailable)
                }
                group.addTask { #expect(await Self.insertAll(0..<10, test).isEmpty) }
                try await group.waitForAll()
            }
            #expect(try await test.count("SELECT count(*) FROM numbers") == 10)
        }
    }

    @Test func aLockThatIsHeldTooLongIsUnavailableAndFreesTheLane() async throws {
        var one = TestDatabase.small
        one.sharedConnections = 1
        one.lockTimeout = .milliseconds(20)
        try await Self.withNumbers(one) { test async throws in
            try await test.query("INSERT INTO numbers VALUES (1)")
            let update = Statement("update", "UPDATE numbers SET value = value WHERE value = $1::integer")
            let locked = AsyncStream<Void>.makeStream()
            let release = EventBox()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await test.database.transaction { session throws(DatabaseError) in
                        _ = try session.query("SELECT * FROM numbers WHERE value = 1 FOR UPDATE")
                        locked.continuation.finish()
                        release.counter.wait()
                    }
                }
                for await _ in locked.stream {}
                let error = await #expect(throws: LedgerError.self) {
                    try await test.database.execute(update, [.count(1)])
                }
                #expect(error?.code == .unavailable && error?.message.contains("55P03") == true)
                #expect(await Self.insertAll(2..<5, test).isEmpty)
                release.counter.add()
                try await group.waitForAll()
            }
            _ = try await test.database.execute(update, [.count(1)])
        }
    }

    @Test func aChangedSchemaCuresPreparedStatements() async throws {
        try await Self.withNumbers { test async throws in
            let select = Statement("all", "SELECT * FROM numbers")
            #expect(try await test.database.execute(select, []).isEmpty)
            try await test.query("ALTER TABLE numbers ADD COLUMN note text")
            try await test.query("INSERT INTO numbers VALUES (1, 'new')")
            #expect(try await test.database.execute(select, []).text(0, 1) == "new")
        }
    }

    @Test func moreThanMayWaitAreRefusedAtOnce() async throws {
        var configuration = TestDatabase.small
        configuration.sharedWaitLimit = 10
        try await Self.withNumbers(configuration) { test async throws in
            let codes = await withTaskGroup(of: LedgerError.Code?.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        do throws(LedgerError) {
                            _ = try await test.database.execute(Statement(nil, "SELECT pg_sleep(0.05)"), [])
                            return nil
                        } catch { return error.code }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.contains(.overloaded) && codes.contains(nil))
            #expect(codes.allSatisfy { $0 == nil || $0 == .overloaded })
            _ = try await test.database.execute(Self.insert, [.count(1)])
        }
    }

    @Test func whatClientsReadDoesNotWaitForWhatRunsWriteNorTakeItsPlaces() async throws {
        var one = TestDatabase.small
        one.sharedConnections = 1
        one.sharedWaitLimit = 1
        one.lockTimeout = .seconds(20)
        try await Self.withNumbers(one) { test async throws in
            try await test.query("INSERT INTO numbers VALUES (1)")
            let locked = AsyncStream<Void>.makeStream()
            let release = EventBox()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await test.database.transaction { session throws(DatabaseError) in
                        _ = try session.query("SELECT * FROM numbers FOR UPDATE")
                        locked.continuation.finish()
                        release.counter.wait()
                    }
                }
                for await _ in locked.stream {}
                let update = Statement(nil, "UPDATE numbers SET value = value")
                let write = Task.immediate { try await test.database.execute(update, []) }
                for _ in 0..<3 {
                    let rows = try await test.database.read(Statement(nil, "SELECT value FROM numbers"), [])
                    #expect(rows.integer(0, 0) == 1)
                }
                let refused = await #expect(throws: LedgerError.self) {
                    try await test.database.execute(Self.insert, [.count(2)])
                }
                #expect(refused?.code == .overloaded)
                release.counter.add()
                _ = try await write.value
                try await group.waitForAll()
            }
        }
    }

    @Test func statementsOfOneExecutionKeepTheirOrder() async throws {
        try await TestDatabase.run(migrated: false) { test async throws in
            try await test.query("CREATE TABLE ordered (id bigserial, value integer)")
            let insert = Statement("ordered", "INSERT INTO ordered (value) VALUES ($1::integer)")
            let execution = TestDatabase.id()
            // Each runs here until it has given its statement to the lane; none is awaited before the next.
            var tasks: [Task<Rows, any Error>] = []
            for value in 0..<200 {
                tasks.append(
                    .immediate { try await test.database.execute(insert, [.count(value)], affinity: execution) })
                // A stranger now and then, so that no pattern of least load keeps them together.
                guard value.isMultiple(of: 3) else { continue }
                tasks.append(.immediate { try await test.database.execute(Statement(nil, "SELECT 1"), []) })
            }
            for task in tasks { _ = try await task.value }
            #expect(try await test.count("SELECT count(*) FROM ordered WHERE id <> value + 1") == 0)
        }
    }

    @Test func anUnreachableServerIsReportedInTime() async throws {
        var configuration = TestDatabase.small
        configuration.connectionWait = .milliseconds(200)
        let error = await #expect(throws: LedgerError.self) {
            try await Database.connect(
                "postgresql://nobody:hunter2@/none?host=/nonexistent", configuration: configuration,
                logger: TestServer.logger)
        }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("/nonexistent") == true && error?.message.contains("hunter2") == false)
    }

    @Test func aStatementThatWaitsTooLongIsToldForWhat() async throws {
        var one = TestDatabase.small
        one.sharedConnections = 1
        one.lockTimeout = .seconds(20)
        one.connectionWait = .seconds(1)
        try await Self.withNumbers(one) { test async throws in
            try await test.query("INSERT INTO numbers VALUES (1)")
            let update = Statement(nil, "UPDATE numbers SET value = value")
            let locked = AsyncStream<Void>.makeStream()
            let release = EventBox()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await test.database.transaction { session throws(DatabaseError) in
                        _ = try session.query("SELECT * FROM numbers FOR UPDATE")
                        locked.continuation.finish()
                        release.counter.wait()
                    }
                }
                for await _ in locked.stream {}
                group.addTask { _ = try await test.database.execute(update, []) }
                let waiting = """
                    SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND wait_event_type = 'Lock'
                    """
                while try await test.count(waiting) == 0 {}
                let error = await #expect(throws: LedgerError.self) {
                    try await test.database.execute(Self.insert, [.count(2)])
                }
                #expect(error?.code == .unavailable && error?.message.contains("busy") == true)
                release.counter.add()
                try await group.waitForAll()
            }
        }
    }

    /// A server that takes connections and says nothing: each attempt is given up in time for another.
    @Test func aSilentServerHoldsNoAttemptForLong() async throws {
        let server = try SilentServer()
        var configuration = TestDatabase.small
        configuration.sharedConnections = 1
        configuration.connectionWait = .milliseconds(100)
        let lane = try SharedLane(
            "db-test", connections: 1, limit: 10, url: "host=127.0.0.1 port=\(server.port) sslmode=disable",
            configuration: configuration, counts: ConnectionCounts(), logger: TestServer.logger)
        let error = await #expect(throws: DatabaseError.self) { try await lane.execute(Self.insert, [.count(1)]) }
        #expect(error?.ledgerError.message.contains("no connection could be made within") == true)
        #expect(server.accepts(2))
        await lane.close()
    }

    /// What the gauges show.
    @Test func connectionsAreCountedAsTheyComeAndGo() async throws {
        let url = try await TestServer.makeDatabase(migrated: false)
        let counts = ConnectionCounts()
        var configuration = TestDatabase.small
        configuration.sharedConnections = 1
        let lane = try SharedLane(
            "db-test", connections: 1, limit: 10, url: url, configuration: configuration, counts: counts,
            logger: TestServer.logger)
        _ = try await lane.execute(Statement(nil, "SELECT 1"), [])
        #expect(counts.current == (active: 0, idle: 1))
        await #expect(throws: DatabaseError.self) {
            try await lane.execute(Statement(nil, "SELECT pg_terminate_backend(pg_backend_pid())"), [])
        }
        _ = try await lane.execute(Statement(nil, "SELECT 1"), [])
        #expect(counts.current == (active: 0, idle: 1))
        await lane.close()
        #expect(counts.current == (active: 0, idle: 0))
        try await TestServer.dropDatabase(url)
    }

    @Test func aClosedDatabaseRefuses() async throws {
        let url = try await TestServer.makeDatabase(migrated: false)
        let database = try await Database.connect(url, configuration: TestDatabase.small, logger: TestServer.logger)
        await database.close()
        await database.close()
        let error = await #expect(throws: LedgerError.self) {
            try await database.execute(Statement(nil, "SELECT 1"), [])
        }
        #expect(error?.code == .unavailable)
    }
}

/// A semaphore that a test may hold on a lane's thread.
struct EventBox: Sendable {
    let counter: EventCounter
    init() {
        // A test process that has no descriptors left cannot go on.
        do { counter = try EventCounter(.semaphore) } catch { fatalError("eventfd: \(error)") }
    }
}
