import Crypto
public import Domain
public import Logging

/// Installs schemas in applications' databases, PostgreSQL 13 or newer, wherever they are.
///
/// What was installed is in the database itself: one row of `public.aibackend_schema` for each SQL, written in the
/// transaction that ran it. Usable from any task.
public final class PostgresSchemaInstaller: SchemaInstaller {
    private let sessions: ApplicationSessions

    public init(logger: Logger) { sessions = ApplicationSessions(logger: logger) }

    /// - Parameter timeout: for connecting, and for the whole of the SQL.
    /// - Throws: with PostgreSQL's message, SQLSTATE and the line of the SQL, or the line of a statement that one
    ///   transaction cannot hold; without the URL.
    public func install(
        _ sql: String, at url: String, timeout: Duration
    ) async throws(ApplicationDatabaseError) {
        let script = try SchemaScript(sql)
        let digest = SHA256.hash(data: Array(sql.utf8)).hexadecimal
        do throws(DatabaseError) {
            try await sessions.run(url, timeout: timeout) { session throws(DatabaseError) in
                try Self.transaction(session, timeout) { session throws(DatabaseError) in
                    guard try !Self.isInstalled(digest, session) else { return }
                    try session.script(script.sql)
                    try Self.record(digest, session)
                }
            }
        } catch {
            throw Self.failure(error, in: sql)
        }
    }

    private static func transaction(
        _ session: Session, _ timeout: Duration, _ body: (Session) throws(DatabaseError) -> Void
    ) throws(DatabaseError) {
        try session.script(
            """
            BEGIN;
            SET LOCAL statement_timeout = \(max(1, timeout.milliseconds));
            SELECT pg_advisory_xact_lock(\(lock))
            """)
        // A connection that fails on the way is closed with the session, which ends the transaction.
        try body(session)
        try session.script("COMMIT")
    }

    /// Lets one installation at a time into a database: "aibs" in ASCII.
    private static let lock: Int64 = 0x6169_6273

    private static func isInstalled(_ digest: String, _ session: Session) throws(DatabaseError) -> Bool {
        guard try session.query("SELECT to_regclass('public.aibackend_schema') IS NOT NULL").bool(0, 0) else {
            return false
        }
        return try !session.query("SELECT FROM public.aibackend_schema WHERE digest = $1", [.text(digest)]).isEmpty
    }

    /// After the SQL, which may have made the schema `public` anew.
    private static func record(_ digest: String, _ session: Session) throws(DatabaseError) {
        try session.script(
            """
            CREATE TABLE IF NOT EXISTS public.aibackend_schema (
                digest text PRIMARY KEY,
                installed_at timestamptz NOT NULL DEFAULT now()
            )
            """)
        _ = try session.query("INSERT INTO public.aibackend_schema (digest) VALUES ($1)", [.text(digest)])
    }

    private static func failure(_ error: DatabaseError, in sql: String) -> ApplicationDatabaseError {
        let what = "the schema could not be installed"
        guard let refusal = error.refusal, let position = refusal.position else {
            return ApplicationDatabaseError(error, at: what)
        }
        let line = 1 + sql.unicodeScalars.prefix(max(0, position - 1)).count { $0 == "\n" }
        return ApplicationDatabaseError(error, at: "\(what): line \(line)")
    }
}
