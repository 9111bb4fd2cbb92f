import Domain
import Testing

@testable import Persistence

@Suite struct DatabaseErrorTests {
    /// What an engine takes for final must be: a full disk is not.
    @Test(arguments: [
        ("22P02", LedgerError.Code.rejected), ("23514", .rejected), ("42P01", .rejected), ("54000", .rejected),
        ("23503", .notFound), ("58030", .unavailable), ("XX001", .unavailable), ("53100", .unavailable),
        ("57014", .unavailable), ("40001", .unavailable), ("08006", .unavailable), ("25006", .unavailable),
        ("0A000", .unavailable), ("55006", .unavailable), ("21000", .unavailable),
    ])
    func onlyTheContentOfAWriteIsRejected(_ sqlState: String, _ code: LedgerError.Code) {
        let error = DatabaseError.refused(ServerRefusal(sqlState: sqlState, constraint: nil, message: "secret-value"))
        #expect(error.ledgerError.code == code)
        #expect(error.ledgerError.message.contains(sqlState))
        #expect(error.ledgerError.message.contains("secret-value") == sqlState.hasPrefix("42"))
    }

    /// What libpq says of these quotes them, or the part it takes for a host or a port.
    @Test(arguments: [
        "postgresql://u:100%zzsecret@h/db", "postgresql://u:secret@[h/db", "postgres://u:p@secret@h/db",
        "postgresql://u:secret/p@h/db", "postgresql://u:secret/p?q@h/db", "postgresq://u:secret@h/db?a=b",
        "postgresql:/u:secret@h/db", "host=h password=two secret", "host=h port=secret", "host=h password='secret",
    ])
    func aFaultyConnectionStringIsNotQuoted(_ url: String) async throws {
        let error = await #expect(throws: LedgerError.self) {
            try await Database.connect(url, logger: TestServer.logger)
        }
        #expect(error?.code == .rejected)
        #expect(
            error?.message
                == "DATABASE_URL is not a valid connection string; percent-encode special characters in the password")
    }

    @Test(arguments: [
        "postgresql://u:p%40ss%2Fw@h1:5432,h2:5433/db?application_name=a@b", "postgresql:///db?host=/run", "host=h",
        "postgres://h", "postgresql://u:p:w?d@[::1]:5432/db", "host=h password='a @ b/c' dbname=d@e",
    ])
    func aGoodConnectionStringPasses(_ url: String) throws {
        try ConnectionString.check(url)
    }
}
