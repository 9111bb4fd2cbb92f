/// The port to databases for the applications that runs produce. Never the server that holds the ledger.
public protocol ApplicationDatabases: Sendable {
    /// Makes a database and a role of the same name that owns it and can reach nothing else. Where both are there
    /// already the role gets a new password.
    ///
    /// - Parameter name: 1 to 63 of `a-z`, `0-9` and `_`, beginning with a letter.
    /// - Returns: the connection URL with the role's password.
    func create(_ name: String) async throws(ApplicationDatabaseError) -> String
    func exists(_ name: String) async throws(ApplicationDatabaseError) -> Bool
    /// Ends its connections and removes database and role; nothing where there is none.
    func drop(_ name: String) async throws(ApplicationDatabaseError)
}

/// A server of applications' databases on which whoever asks for one chooses its password, as on a platform.
public protocol PlatformDatabases: ApplicationDatabases {
    /// As `create`, with a given password: any text without U+0000.
    func create(_ name: String, password: String) async throws(ApplicationDatabaseError)
}

/// The port to installing a schema in an application's database, wherever that is.
public protocol SchemaInstaller: Sendable {
    /// Runs SQL statements in one transaction, once: the same SQL on the same database again does nothing.
    ///
    /// - Parameter url: the database's connection URL; its role runs the SQL.
    func install(_ sql: String, at url: String, timeout: Duration) async throws(ApplicationDatabaseError)
}

public struct ApplicationDatabaseError: Error, Sendable, CustomStringConvertible {
    /// For operators: server and reason, never a password.
    public let message: String
    /// Whether the same call may succeed later.
    public let isRetryable: Bool

    public init(_ message: String, isRetryable: Bool) {
        self.message = message
        self.isRetryable = isRetryable
    }

    public var description: String { message }
}
