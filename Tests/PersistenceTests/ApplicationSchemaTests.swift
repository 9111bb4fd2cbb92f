import Domain
import Testing

@testable import Persistence

@Suite struct ApplicationSchemaTests {
    private static let installer = PostgresSchemaInstaller(logger: TestServer.logger)
    private static let probe = PostgresConnectionProbe(logger: TestServer.logger)

    private static func refusal(_ sql: String, at url: String) async -> ApplicationDatabaseError? {
        await #expect(throws: ApplicationDatabaseError.self) {
            try await installer.install(sql, at: url, timeout: .seconds(10))
        }
    }

    @Test func `A schema is installed once`() async throws {
        try await ApplicationServer.with { databases in
            let url = try await databases.create("schema_once")
            let sql = """
                CREATE TABLE notes (id serial PRIMARY KEY, text text);
                INSERT INTO notes (text) VALUES ('first');
                """
            // Also where several begin at once.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { try await Self.installer.install(sql, at: url, timeout: .seconds(10)) }
                }
                try await group.waitForAll()
            }
            try await Self.installer.install("ALTER TABLE notes ADD done boolean", at: url, timeout: .seconds(10))
            try await Self.installer.install(sql, at: url, timeout: .seconds(10))
            #expect(try await ApplicationServer.ask("SELECT count(*) FROM notes", at: url) == "1")
            #expect(try await ApplicationServer.ask("SELECT count(*) FROM aibackend_schema", at: url) == "2")
        }
    }

    @Test func `A schema that fails leaves nothing, and tells line and reason`() async throws {
        try await ApplicationServer.with { databases in
            let url = try await databases.create("schema_fails")
            let error = await Self.refusal(
                "-- ünïcode\nCREATE TABLE one (id int);\n\nCREATE TABEL two (id int);", at: url)
            #expect(
                error?.message
                    == "the schema could not be installed: line 4: syntax error at or near \"TABEL\" (SQLSTATE 42601)")
            #expect(error?.isRetryable == false)
            let late = await Self.refusal("CREATE TABLE one (id int);\nINSERT INTO one VALUES ('x');", at: url)
            #expect(late?.message.contains("line 2: invalid input syntax") == true, "\(late?.message ?? "none")")
            #expect(try await ApplicationServer.ask("SELECT to_regclass('one')::text", at: url) == nil)
            #expect(try await ApplicationServer.ask("SELECT to_regclass('aibackend_schema')::text", at: url) == nil)
        }
    }

    @Test func `A script's own transaction becomes the installer's`() async throws {
        try await ApplicationServer.with { databases in
            let url = try await databases.create("schema_begins")
            let error = await Self.refusal(
                "BEGIN;\nCREATE TABLE one (id int);\nCOMMIT;\nSTART TRANSACTION;\nSELECT nonsense;\nEND;", at: url)
            #expect(error?.message.contains("line 5") == true, "\(error?.message ?? "none")")
            #expect(try await ApplicationServer.ask("SELECT to_regclass('one')::text", at: url) == nil)
            try await Self.installer.install(
                """
                BEGIN;
                DROP SCHEMA public CASCADE; CREATE SCHEMA public;
                CREATE FUNCTION twice(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN n * 2; END $$;
                CREATE FUNCTION thrice(n int) RETURNS int BEGIN ATOMIC
                    SELECT CASE WHEN n > 0 THEN n ELSE 0 END; SELECT n * 3; END;
                COMMIT;
                """, at: url, timeout: .seconds(10))
            #expect(try await ApplicationServer.ask("SELECT twice(2) + thrice(3)", at: url) == "13")
        }
    }

    @Test(arguments: [
        ("CREATE TABLE a (b int);\n\nROLLBACK;", "line 3: ROLLBACK"), ("COPY a FROM STDIN;", "line 1: COPY A"),
        ("/* ; */ COMMIT PREPARED 'x'", "line 1: COMMIT PREPARED"), ("SELECT 1;\nABORT", "line 2: ABORT"),
        ("a\u{0}b", "NUL"),
    ])
    func `What one transaction cannot hold is refused`(sql: String, reason: String) async throws {
        let error = #expect(throws: ApplicationDatabaseError.self) { try SchemaScript(sql) }
        #expect(error?.message.contains(reason) == true && error?.isRetryable == false, "\(error?.message ?? "none")")
    }

    @Test(arguments: [
        "SELECT 'COMMIT; BEGIN'", "SELECT \"; COMMIT;\"", "SELECT E'\\'; COMMIT; --'", "SELECT $x$; COMMIT; $x$",
        "SELECT 1 /* ; /* ; */ COMMIT; */", "-- ; COMMIT;\nSELECT 1", "SELECT $1", "SELECT 'it''s; COMMIT'",
        "ROLLBACK TO SAVEPOINT one", "SELECT $$; COMMIT", "/* ; COMMIT",
        "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; COMMIT)",
    ])
    func `Quotes, comments and parentheses hide what looks like a transaction`(sql: String) throws {
        #expect(try SchemaScript(sql).sql == sql)
    }

    @Test func `A script that takes too long is given up`() async throws {
        try await ApplicationServer.with { databases in
            let url = try await databases.create("schema_slow")
            let error = await #expect(throws: ApplicationDatabaseError.self) {
                try await Self.installer.install("SELECT pg_sleep(60)", at: url, timeout: .milliseconds(300))
            }
            #expect(error?.isRetryable == true)
        }
    }

    @Test(arguments: [
        "postgresql://u:hush@/x", "postgresql://u:hush@/x?host=/run/postgresql", "postgresql://u:hush@h,/x",
        "postgresql://u:hush@h/x?passfile=/etc/passwd", "postgresql://u:hush@h/x?hostaddr=/tmp", "hush",
        "postgresql://u:hu@sh@h/x",
    ])
    func `A URL that leads into this host is refused, and never repeated`(url: String) async throws {
        let error = await Self.refusal("SELECT 1", at: url)
        #expect(error?.isRetryable == false && error?.message.contains("hush") == false, "\(error?.message ?? "none")")
        let probed = await Self.probe.probe(url, timeout: .seconds(5))
        #expect(!probed.isHealthy && probed.reason?.contains("hush") == false)
    }

    @Test func `A probe says whether a database answers, and why not, without its password`() async throws {
        try await ApplicationServer.with { databases in
            let url = try await databases.create("probed")
            let healthy = await Self.probe.probe(url, timeout: .seconds(10))
            #expect(healthy.isHealthy && healthy.reason == nil)
            let wrong = url.replacing(url.split(separator: "@")[0], with: "postgresql://probed:not-the-password")
            let refused = await Self.probe.probe(wrong, timeout: .seconds(10))
            #expect(!refused.isHealthy && refused.reason?.contains("password authentication failed") == true)
            #expect(refused.reason?.contains("not-the-password") == false)
            let nobody = await Self.probe.probe("postgresql://u:hush@127.0.0.1:1/x", timeout: .seconds(10))
            #expect(!nobody.isHealthy && nobody.reason?.contains("Connection refused") == true)
        }
    }
}
