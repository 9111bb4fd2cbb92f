import Domain
import Testing

@testable import Persistence

@Suite struct ApplicationDatabasesTests {
    @Test func `An application's role owns its database and nothing else`() async throws {
        try await ApplicationServer.with { databases in
            let url = try await databases.create("plain")
            #expect(try await databases.exists("plain"))
            let owner = try await ApplicationServer.ask(
                "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()", at: url)
            #expect(owner == "plain")
            try await ApplicationServer.ask("CREATE TABLE kept AS SELECT 1 AS value", at: url)
            let rights = try await ApplicationServer.ask(
                """
                SELECT concat_ws(' ', rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolconnlimit)
                FROM pg_roles WHERE rolname = current_user
                """, at: url)
            #expect(rights == "f f f f f 20")
            for refused in ["CREATE DATABASE other", "CREATE ROLE other", "ALTER ROLE plain SUPERUSER"] {
                await #expect(throws: DatabaseError.self) { try await ApplicationServer.ask(refused, at: url) }
            }
        }
    }

    @Test func `Two applications cannot reach each other's database`() async throws {
        try await ApplicationServer.with { databases in
            let urls = (try await databases.create("left_app"), try await databases.create("right_app"))
            for database in ["right_app", "postgres", "template1", "aibackend"] {
                let error = await #expect(throws: DatabaseError.self) {
                    try await ApplicationServer.ask("SELECT 1", at: ApplicationServer.url(urls.0, on: database))
                }
                let message = error?.ledgerError.message ?? "none"
                #expect(message.contains("no pg_hba.conf entry"), "\(message)")
            }
            #expect(try await ApplicationServer.ask("SELECT current_user", at: urls.1) == "right_app")

            // Also where the server would let it in, the database does not.
            let allowed = try await ApplicationServer.ask(
                "SELECT has_database_privilege('left_app', 'right_app', 'CONNECT, TEMPORARY')::text", at: urls.1)
            #expect(allowed == "false")
        }
    }

    @Test func `Making it again gives the role a new password and keeps the data`() async throws {
        try await ApplicationServer.with { databases in
            let first = try await databases.create("again")
            try await ApplicationServer.ask("CREATE TABLE kept AS SELECT 42 AS value", at: first)
            let second = try await databases.create("again")
            #expect(first != second)
            #expect(try await ApplicationServer.ask("SELECT value FROM kept", at: second) == "42")
            let error = await #expect(throws: DatabaseError.self) {
                try await ApplicationServer.ask("SELECT 1", at: first)
            }
            #expect(error?.ledgerError.message.contains("password authentication failed") == true)
        }
    }

    @Test func `What a crash left half made is finished`() async throws {
        try await ApplicationServer.with { databases in
            _ = try await databases.create("half")
            try await ApplicationServer.administer("DROP DATABASE half")
            #expect(try await !databases.exists("half"))
            let url = try await databases.create("half")
            try await ApplicationServer.administer("ALTER DATABASE half ALLOW_CONNECTIONS false")
            await #expect(throws: DatabaseError.self) { try await ApplicationServer.ask("SELECT 1", at: url) }
            #expect(try await ApplicationServer.ask("SELECT 1", at: try await databases.create("half")) == "1")
        }
    }

    @Test func `A database is removed while the application is connected`() async throws {
        try await ApplicationServer.with { databases in
            let url = try await databases.create("connected")
            let sessions = ApplicationSessions(logger: TestServer.logger)
            let isOver = await Result.catching {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        try await sessions.run(url, timeout: .seconds(60)) { session throws(DatabaseError) in
                            _ = try session.query("SELECT pg_sleep(60)")
                        }
                    }
                    // Until the session is there.
                    let others = """
                        SELECT count(*) FROM pg_stat_activity WHERE usename = 'connected' AND pid <> pg_backend_pid()
                        """
                    while try await ApplicationServer.ask(others, at: url) == "0" {}
                    try await databases.drop("connected")
                    try await group.waitForAll()
                }
            }
            #expect(throws: DatabaseError.self) { try isOver.get() }
            #expect(try await !databases.exists("connected"))
            await #expect(throws: DatabaseError.self) { try await ApplicationServer.ask("SELECT 1", at: url) }
            try await databases.drop("connected")
        }
    }

    @Test(arguments: [
        "", "1st", "_x", "Upper", "has-dash", "has space", "a\"; DROP ROLE aibackend; --", "ünï", "pg_mine", "a\u{0}b",
        String(repeating: "x", count: 64),
    ])
    func `A hostile name is refused`(name: String) async throws {
        try await ApplicationServer.with { databases in
            for call in [
                { _ = try await databases.create(name) }, { _ = try await databases.exists(name) },
                { try await databases.drop(name) },
            ] {
                let error = await #expect(throws: ApplicationDatabaseError.self) { try await call() }
                #expect(error?.isRetryable == false)
            }
        }
    }

    @Test func `A role or database of somebody else is left alone`() async throws {
        try await ApplicationServer.with { databases in
            try await ApplicationServer.administer("CREATE ROLE precious LOGIN")
            try await ApplicationServer.administer("CREATE DATABASE orphan")
            for name in ["precious", "orphan", "postgres", "aibackend", "template1"] {
                let made = await #expect(throws: ApplicationDatabaseError.self) { try await databases.create(name) }
                #expect(made?.message.contains("not made for an application") == true, "\(made?.message ?? "none")")
                await #expect(throws: ApplicationDatabaseError.self) { try await databases.drop(name) }
                #expect(try await !databases.exists(name))
            }
        }
    }

    @Test func `No password reaches the server's log`() async throws {
        try await ApplicationServer.with { databases in
            let url = try await databases.create("discreet")
            let password = try #require(url.split(separator: "@")[0].split(separator: ":").last)
            #expect(password.utf8.count == 32)
            let log = try await ApplicationServer.log
            #expect(log.contains("CREATE ROLE \"discreet\"") && log.contains("SCRAM-SHA-256$"))
            #expect(!log.contains(password))
        }
    }

    @Test func `A server that is not there, or a URL that leads nowhere, is told without its password`() async throws {
        let gone = try PostgresApplicationDatabases(
            adminURL: "postgresql://admin:hush-hush@127.0.0.1:1/postgres", timeout: .milliseconds(300),
            logger: TestServer.logger)
        let error = await #expect(throws: ApplicationDatabaseError.self) { try await gone.create("any") }
        #expect(error?.isRetryable == true && error?.message.contains("127.0.0.1:1") == true)
        #expect(error?.message.contains("hush-hush") == false)
        await gone.close()
        for url in ["postgresql://a:hush@x/@b", "postgresql:///postgres", "postgresql://a@/x?host=/run", "hush"] {
            let error = #expect(throws: ApplicationDatabaseError.self) {
                try PostgresApplicationDatabases(adminURL: url, logger: TestServer.logger)
            }
            #expect(error?.isRetryable == false && error?.message.contains("hush") == false)
        }
    }

    @Test func `Applications get the server's address and encryption, and no certificate of the host's`() throws {
        let name = try ApplicationDatabaseName("app")
        let plain = try #require(ApplicationServerAddress("postgresql://admin:x@db.example:6000/postgres"))
        #expect(plain.url(of: name, password: "p") == "postgresql://app:p@db.example:6000/app")
        let strict = try #require(ApplicationServerAddress("postgresql://admin@[::1]/x?sslmode=verify-full"))
        #expect(strict.url(of: name, password: "p") == "postgresql://app:p@[::1]:5432/app?sslmode=require")
        #expect(ApplicationServerAddress("postgresql://admin@one,two/x") == nil)
    }
}
