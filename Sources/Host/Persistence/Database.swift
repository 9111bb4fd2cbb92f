public import Domain
public import Logging

/// The one way to PostgreSQL, 15 or newer: lanes of connections on threads of their own.
///
/// Usable from any task; nothing here blocks the cooperative pool. Close it when done: its threads hold it.
public final class Database: Sendable {
    let exclusive: ExclusiveLane
    /// One connection for nothing but the worker's lease: whatever holds the others up must not cost it.
    let leases: ExclusiveLane
    let shared: SharedLane
    /// What clients read, however much of it: runs write on the lane above.
    let reads: SharedLane
    let logger: Logger

    private init(
        _ exclusive: ExclusiveLane, _ leases: ExclusiveLane, _ shared: SharedLane, _ reads: SharedLane,
        _ logger: Logger
    ) {
        self.exclusive = exclusive
        self.leases = leases
        self.shared = shared
        self.reads = reads
        self.logger = logger
    }

    /// Opens the lanes, and returns once the server has answered.
    ///
    /// - Parameter url: a URI (`postgresql://…`) or `keyword=value` string, as libpq reads them. A transaction
    ///   pooler may stand between.
    /// - Throws: `rejected` where the URL cannot be read; `unavailable` where the server cannot be reached within
    ///   `connectionWait` or is older than 15.
    public static func connect(
        _ url: String, configuration: DatabaseConfiguration = DatabaseConfiguration(), logger: Logger
    ) async throws(LedgerError) -> Database {
        let counts = ConnectionCounts()
        do throws(DatabaseError) {
            try ConnectionString.check(url)
            let exclusive = try ExclusiveLane(
                "db-exclusive", connections: configuration.exclusiveConnections, url: url,
                configuration: configuration, counts: counts, logger: logger)
            let version: Int
            do throws(DatabaseError) {
                version = try await exclusive.transaction { $0.serverVersion }
            } catch {
                await exclusive.close()
                throw error
            }
            guard version >= 150_000 else {
                await exclusive.close()
                throw DatabaseError.aborted(
                    LedgerError(
                        .unavailable,
                        "the database server is PostgreSQL \(version / 10_000); 15 or newer is needed"))
            }
            let shared = try SharedLane(
                "db-shared", connections: configuration.sharedConnections, limit: configuration.sharedWaitLimit,
                url: url, configuration: configuration, counts: counts, logger: logger)
            let reads = try SharedLane(
                "db-reads", connections: configuration.readConnections, limit: configuration.readWaitLimit, url: url,
                configuration: configuration, counts: counts, logger: logger)
            let leases = try ExclusiveLane(
                "db-lease", connections: 1, url: url, configuration: configuration, counts: counts, logger: logger)
            return Database(exclusive, leases, shared, reads, logger)
        } catch {
            throw error.ledgerError
        }
    }

    /// Lets what was given finish, refuses what comes, and disconnects.
    public func close() async {
        await reads.close()
        await shared.close()
        await leases.close()
        await exclusive.close()
    }

    /// Runs a transaction on the exclusive lane.
    func transaction<Value: Sendable>(
        answerTimeout: Duration? = nil, _ body: @escaping @Sendable (Session) throws(DatabaseError) -> Value
    ) async throws(LedgerError) -> Value {
        do { return try await exclusive.transaction(answerTimeout: answerTimeout, body) } catch {
            throw error.ledgerError
        }
    }

    /// Carries out one statement, idempotent by key, on the shared lane.
    func execute(
        _ statement: Statement, _ parameters: [SQLValue], affinity: UUIDv7? = nil
    ) async throws(LedgerError) -> Rows {
        do { return try await shared.execute(statement, parameters, affinity: affinity) } catch {
            throw error.ledgerError
        }
    }

    /// Carries out one statement that only reads, for a client that waits.
    func read(_ statement: Statement, _ parameters: [SQLValue]) async throws(LedgerError) -> Rows {
        do { return try await reads.execute(statement, parameters) } catch { throw error.ledgerError }
    }
}
