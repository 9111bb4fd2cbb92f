import Domain

/// Brings a database's schema up to this binary's: numbered, checksummed steps, forward only.
public struct Migrator: Sendable {
    /// One migration, as the operator is told of it.
    public struct Step: Sendable, Hashable {
        public let number: Int
        public let name: String
    }

    /// The advisory lock that lets one host at a time migrate: "aibm" in ASCII.
    private static let lock: Int64 = 0x6169_626D
    /// A migration may rewrite tables.
    private static let timeout: Duration = .seconds(3_600)

    private let database: Database
    private let migrations: [Migration]

    public init(_ database: Database) { self.init(database, Migration.all) }

    init(_ database: Database, _ migrations: [Migration]) {
        self.database = database
        self.migrations = migrations
    }

    /// Applies what is missing, each in a transaction of its own under an advisory lock, so that any number of
    /// hosts may start at once.
    ///
    /// - Returns: what this call applied, in order; empty when the schema was up to date.
    /// - Throws: `MigrationError`; the migrations before the one that failed stay applied.
    public func migrate() async throws(MigrationError) -> [Step] {
        var applied: [Step] = []
        while let step = try await transaction({ session throws(DatabaseError) in try applyNext(session) }) {
            applied.append(step)
        }
        return applied
    }

    /// What `migrate` would apply. Changes nothing.
    public func pending() async throws(MigrationError) -> [Step] {
        try await transaction { session throws(DatabaseError) in
            try unapplied(session).map { $0.map { Step(number: $0.number, name: $0.name) } }
        }
    }

    /// A refusal of our own travels as the value of a transaction that has changed nothing.
    private func transaction<Value: Sendable>(
        _ body: @escaping @Sendable (Session) throws(DatabaseError) -> Result<Value, MigrationError>
    ) async throws(MigrationError) -> Value {
        let result: Result<Value, MigrationError>
        do {
            result = try await database.exclusive.transaction(answerTimeout: Self.timeout, body)
        } catch {
            throw .unavailable(error.refusal?.message ?? error.ledgerError.message)
        }
        return try result.get()
    }

    private func applyNext(_ session: Session) throws(DatabaseError) -> Result<Step?, MigrationError> {
        _ = try session.query("SELECT pg_advisory_xact_lock($1::bigint)", [.integer(Self.lock)])
        try session.script(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                number integer PRIMARY KEY,
                name text NOT NULL,
                checksum text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now()
            )
            """)
        let migration: Migration
        switch try unapplied(session) {
        case .failure(let error): return .failure(error)
        case .success(let missing):
            guard let first = missing.first else { return .success(nil) }
            migration = first
        }
        do throws(DatabaseError) {
            try session.script("SAVEPOINT migration")
            try session.script(migration.sql)
        } catch {
            guard let refusal = error.refusal else { throw error }
            try session.script("ROLLBACK TO SAVEPOINT migration")
            return .failure(
                .refused(
                    number: migration.number, name: migration.name,
                    message: "\(refusal.message) (SQLSTATE \(refusal.sqlState))"))
        }
        _ = try session.query(
            "INSERT INTO schema_migrations (number, name, checksum) VALUES ($1::integer, $2, $3)",
            [.count(migration.number), .text(migration.name), .text(migration.checksum)])
        return .success(Step(number: migration.number, name: migration.name))
    }

    private func unapplied(_ session: Session) throws(DatabaseError) -> Result<[Migration], MigrationError> {
        guard try session.query("SELECT to_regclass('schema_migrations') IS NOT NULL").bool(0, 0) else {
            return .success(migrations)
        }
        let rows = try session.query("SELECT number, name, checksum FROM schema_migrations ORDER BY number")
        let known = Dictionary(uniqueKeysWithValues: migrations.map { ($0.number, $0) })
        var applied: Set<Int> = []
        for row in 0..<rows.count {
            let number = Int(rows.integer(row, 0) ?? 0)
            guard let migration = known[number] else {
                return .failure(.databaseNewer(database: number, binary: migrations.last?.number ?? 0))
            }
            guard migration.checksum == rows.text(row, 2) else {
                return .failure(.checksumChanged(number: number, name: migration.name))
            }
            applied.insert(number)
        }
        return .success(migrations.filter { !applied.contains($0.number) })
    }
}
