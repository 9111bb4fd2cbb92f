import Domain
import Logging

@testable import Persistence

/// One private cluster for applications' databases, for the whole test process.
enum ApplicationServer {
    static let settings = ["fsync=off", "shared_buffers=16MB", "log_statement=all"]

    private static let started = Task {
        let directory = try TestServer.temporaryDirectory()
        let cluster = try await PrivateCluster.start(
            dataDirectory: directory, listeningOn: 0, settings: settings, logger: TestServer.logger)
        return (cluster, directory)
    }

    static var cluster: PrivateCluster { get async throws { try await started.value.0 } }

    /// Everything the server has logged: with each statement, as it arrived.
    static var log: String {
        get async throws { FileSystem.text(try await started.value.1 + "/server.log", tail: true) ?? "" }
    }

    static func with(_ body: (PostgresApplicationDatabases) async throws -> Void) async throws {
        let cluster = try await cluster
        let databases = try PostgresApplicationDatabases(
            adminURL: cluster.connectionURL,
            reachedAt: ApplicationServerAddress(host: "127.0.0.1", port: cluster.port ?? 0), logger: TestServer.logger)
        let result = await Result.catching { try await body(databases) }
        await databases.close()
        try result.get()
    }

    /// Runs one statement as whoever the URL says, and answers the first value; the error is the server's.
    @discardableResult
    static func ask(_ sql: String, at url: String) async throws -> String? {
        let sessions = ApplicationSessions(logger: TestServer.logger)
        return try await sessions.run(url, timeout: .seconds(10)) { session throws(DatabaseError) in
            let rows = try session.query(sql)
            return rows.isEmpty ? nil : rows.text(0, 0)
        }
    }

    /// Runs one statement as the role that makes the databases.
    static func administer(_ sql: String) async throws {
        try await TestServer.execute(sql, at: try await cluster.connectionURL)
    }

    /// The URL with another database in its place.
    static func url(_ url: String, on database: String) -> String {
        (url.split(separator: "/", omittingEmptySubsequences: false).dropLast() + [Substring(database)])
            .joined(separator: "/")
    }
}
