import Domain
import Testing

@testable import Persistence

@Suite struct SecretVaultTests {
    private static let key = [UInt8](repeating: 7, count: 32)

    @Test func aSecretIsKeptOnceAndReadBack() async throws {
        try await TestDatabase.run { test async throws in
            let execution = try await test.makeExecution(user: try await test.makeUser())
            let vault = try PostgresSecretVault(test.database, key: Self.key)
            let value = "postgresql://u:pä55\0word🚀@h/db"
            let first = try await vault.keep(value, as: "database_url", of: execution)
            let second = try await vault.keep("another", as: "database_url", of: execution)
            let other = try await vault.keep("", as: "empty", of: execution)
            #expect(first == second && first != other)
            let unknown = SecretReference(id: TestDatabase.id())
            let values = try await vault.values([first, other, unknown, first], of: execution)
            #expect(values == [first: value, other: ""])
            let none = try await vault.values([], of: execution)
            #expect(none.isEmpty)
        }
    }

    @Test func replacingKeepsTheReference() async throws {
        try await TestDatabase.run { test async throws in
            let execution = try await test.makeExecution(user: try await test.makeUser())
            let vault = try PostgresSecretVault(test.database, key: Self.key)
            let first = try await vault.replace("one", as: "a", of: execution)
            let second = try await vault.replace("two", as: "a", of: execution)
            let values = try await vault.values([first], of: execution)
            #expect(first == second && values == [first: "two"])
        }
    }

    @Test func whoeverKeepsAtOnceGetsTheSame() async throws {
        try await TestDatabase.run { test async throws in
            let execution = try await test.makeExecution(user: try await test.makeUser())
            try await test.another(TestDatabase.small) { other in
                let vaults = try [test.database, other].map { try PostgresSecretVault($0, key: Self.key) }
                let references = try await withThrowingTaskGroup(of: SecretReference.self) { group in
                    for number in 0..<40 {
                        group.addTask { try await vaults[number % 2].keep("\(number)", as: "password", of: execution) }
                    }
                    return try await group.reduce(into: Set()) { $0.insert($1) }
                }
                let values = try await vaults[0].values(Array(references), of: execution)
                #expect(references.count == 1 && values.count == 1)
                #expect(try await test.count("SELECT count(*) FROM execution_secrets") == 1)
            }
        }
    }

    @Test func whatIsStoredIsEncrypted() async throws {
        try await TestDatabase.run { test async throws in
            let execution = try await test.makeExecution(user: try await test.makeUser())
            let vault = try PostgresSecretVault(test.database, key: Self.key)
            for name in ["a", "b"] { _ = try await vault.keep("hunter2hunter2", as: name, of: execution) }
            let rows = try await test.query("SELECT sealed, key_id FROM execution_secrets ORDER BY name")
            let sealed = try (0..<2).map { try #require(rows.bytes($0, 0)) }
            // Nonce and tag, and another nonce each time.
            #expect(sealed.map(\.count) == [42, 42] && sealed[0] != sealed[1])
            #expect(sealed.allSatisfy { !String(decoding: $0, as: UTF8.self).contains("hunter2") })
            #expect(rows.text(0, 1)?.wholeMatch(of: /[0-9a-f]{16}/) != nil && rows.text(0, 1) == vault.keyID)
        }
    }

    @Test func anotherExecutionsSecretsAreLeftOut() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            let (mine, theirs) = (try await test.makeExecution(user: user), try await test.makeExecution(user: user))
            let vault = try PostgresSecretVault(test.database, key: Self.key)
            let reference = try await vault.keep("secret", as: "a", of: theirs)
            let values = try await vault.values([reference], of: mine)
            #expect(values.isEmpty)
        }
    }

    @Test func aSecretThatWasMovedOrAlteredDoesNotOpen() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            let (first, second) = (try await test.makeExecution(user: user), try await test.makeExecution(user: user))
            let vault = try PostgresSecretVault(test.database, key: Self.key)
            let changes = [
                "UPDATE execution_secrets SET execution_id = '\(second)'",
                "UPDATE execution_secrets SET name = 'b'",
                "UPDATE execution_secrets SET sealed = set_byte(sealed, 13, 255 - get_byte(sealed, 13))",
                "UPDATE execution_secrets SET sealed = substr(sealed, 1, 20)",
                "UPDATE execution_secrets SET sealed = ''",
            ]
            for (number, change) in changes.enumerated() {
                try await test.query("DELETE FROM execution_secrets")
                let reference = try await vault.keep("hunter2", as: "a", of: first)
                try await test.query(change)
                let error = await #expect(throws: LedgerError.self) {
                    try await vault.values([reference], of: number == 0 ? second : first)
                }
                #expect(error?.code == .rejected && error?.message.contains("altered") == true)
                #expect(error?.message.contains("hunter2") == false)
            }
        }
    }

    @Test func anotherKeyIsToldFromAnAlteredSecret() async throws {
        try await TestDatabase.run { test async throws in
            let execution = try await test.makeExecution(user: try await test.makeUser())
            let vault = try PostgresSecretVault(test.database, key: Self.key)
            let reference = try await vault.keep("hunter2", as: "a", of: execution)
            let other = try PostgresSecretVault(test.database, key: [UInt8](repeating: 8, count: 32))
            let error = await #expect(throws: LedgerError.self) {
                try await other.values([reference], of: execution)
            }
            #expect(error?.code == .rejected && error?.message.contains("encrypted with another key") == true)
            #expect(error?.message.contains(vault.keyID) == true && error?.message.contains("hunter2") == false)
        }
    }

    @Test func badKeysNamesAndExecutionsAreRefused() async throws {
        try await TestDatabase.run { test async throws in
            for count in [0, 16, 31, 33] {
                let error = #expect(throws: LedgerError.self) {
                    try PostgresSecretVault(test.database, key: [UInt8](repeating: 1, count: count))
                }
                #expect(error?.code == .rejected)
            }
            let vault = try PostgresSecretVault(test.database, key: Self.key)
            let execution = try await test.makeExecution(user: try await test.makeUser())
            for name in ["zero\0", String(repeating: "n", count: 1_001)] {
                let error = await #expect(throws: LedgerError.self) {
                    try await vault.keep("v", as: name, of: execution)
                }
                #expect(error?.code == .rejected)
            }
            let stranger = await #expect(throws: LedgerError.self) {
                try await vault.keep("v", as: "a", of: TestDatabase.id())
            }
            let unknown = await #expect(throws: LedgerError.self) {
                try await vault.replace("v", as: "a", of: TestDatabase.id())
            }
            #expect(stranger?.code == .notFound && unknown?.code == .notFound)
        }
    }
}
