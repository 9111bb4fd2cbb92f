public import Domain
public import Logging

/// Databases for applications on one PostgreSQL server, 13 or newer: the operator's, or a private cluster made for
/// them. Each has a role of its own that owns it, and nobody else may connect to it.
///
/// A role made here bears a comment that says so; roles and databases without it are never touched, whatever their
/// name. Passwords reach the server as SCRAM verifiers only, so that neither its log nor its catalogs see one.
///
/// Usable from any task. Close it when done: its thread holds it.
public final class PostgresApplicationDatabases: PlatformDatabases {
    /// What an application may hold at once; the rest of the server's connections are its neighbours'.
    static let connectionLimit = 20
    static let mark = "database of an application, made by aibackend"

    let lane: ExclusiveLane
    let address: ApplicationServerAddress
    let timeout: Duration

    /// Connects when first used.
    ///
    /// - Parameters:
    ///   - adminURL: a connection string of a role with the rights CREATEDB and CREATEROLE, straight to the server:
    ///     a transaction pooler cannot make databases.
    ///   - address: where applications reach the server, if not where the URL says.
    ///   - timeout: for each of the few statements that one call takes.
    /// - Throws: where the URL cannot be read, or names no host and port and no address is given.
    public init(
        adminURL: String, reachedAt address: ApplicationServerAddress? = nil, timeout: Duration = .seconds(30),
        logger: Logger
    ) throws(ApplicationDatabaseError) {
        guard (try? ConnectionString.check(adminURL)) != nil else {
            throw ApplicationDatabaseError(
                "the URL of the server for applications' databases is not a valid connection string; percent-encode "
                    + "special characters in the password", isRetryable: false)
        }
        guard let address = address ?? ApplicationServerAddress(adminURL) else {
            throw ApplicationDatabaseError(
                "the URL of the server for applications' databases must name one host that applications can reach "
                    + "over TCP", isRetryable: false)
        }
        self.address = address
        self.timeout = timeout
        var configuration = DatabaseConfiguration(applicationName: "aibackend-applications")
        configuration.exclusiveWaitLimit = 100
        do {
            lane = try ExclusiveLane(
                "db-applications", connections: 1, url: adminURL, configuration: configuration,
                counts: ConnectionCounts(), logger: logger)
        } catch {
            throw ApplicationDatabaseError("\(error.ledgerError.message)", isRetryable: true)
        }
    }

    public func create(_ name: String) async throws(ApplicationDatabaseError) -> String {
        let password = ApplicationPassword.make()
        try await create(name, password: password)
        return address.url(of: try ApplicationDatabaseName(name), password: password)
    }

    public func create(_ name: String, password: String) async throws(ApplicationDatabaseError) {
        let name = try ApplicationDatabaseName(name)
        guard !password.isEmpty, !password.utf8.contains(0) else {
            throw ApplicationDatabaseError(
                "the database \(name.text) could not be made: its password is empty or has a U+0000",
                isRetryable: false)
        }
        try await report("the database \(name.text) could not be made") { () throws(DatabaseError) in
            switch try await owner(name) {
            case .absent, .ours: break
            case .foreign: throw Self.foreign(name)
            }
            try await makeRole(name, password: password)
            try await makeDatabase(name)
        }
    }

    public func exists(_ name: String) async throws(ApplicationDatabaseError) -> Bool {
        let name = try ApplicationDatabaseName(name)
        return try await report("the database \(name.text) could not be looked up") { () throws(DatabaseError) in
            try await owner(name) == .ours(hasDatabase: true)
        }
    }

    public func drop(_ name: String) async throws(ApplicationDatabaseError) {
        let name = try ApplicationDatabaseName(name)
        try await report("the database \(name.text) could not be removed") { () throws(DatabaseError) in
            switch try await owner(name) {
            case .absent: return
            case .foreign: throw Self.foreign(name)
            case .ours: break
            }
            try await execute("DROP DATABASE IF EXISTS \(name.quoted) WITH (FORCE)")
            try await execute("DROP ROLE IF EXISTS \(name.quoted)")
        }
    }

    /// Lets the calls that wait finish, and disconnects.
    public func close() async { await lane.close() }

    private func report<Value>(
        _ failure: String, _ body: () async throws(DatabaseError) -> Value
    ) async throws(ApplicationDatabaseError) -> Value {
        do { return try await body() } catch {
            throw ApplicationDatabaseError(error, at: "\(failure) on \(address.host):\(address.port)")
        }
    }

    private static func foreign(_ name: ApplicationDatabaseName) -> DatabaseError {
        .aborted(
            LedgerError(
                .rejected,
                "there is a role or database of this name that was not made for an application; it is left alone"))
    }
}
