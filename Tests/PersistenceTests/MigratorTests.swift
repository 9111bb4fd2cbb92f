import Domain
import Testing

@testable import Persistence

@Suite struct MigratorTests {
    private static let first = Migration(number: 1, name: "first", sql: "CREATE TABLE one (id integer)")
    private static let second = Migration(number: 2, name: "second", sql: "CREATE TABLE two (id integer)")

    @Test func appliesWhatIsMissingOnce() async throws {
        try await TestDatabase.run(migrated: false) { test async throws in
            let migrator = Migrator(test.database, [Self.first, Self.second])
            #expect(try await migrator.pending().map(\.number) == [1, 2])
            #expect(try await migrator.migrate().map(\.name) == ["first", "second"])
            #expect(try await migrator.pending().isEmpty)
            #expect(try await migrator.migrate().isEmpty)
            #expect(try await test.count("SELECT count(*) FROM schema_migrations") == 2)
        }
    }

    @Test func hostsThatStartTogetherApplyEachOnce() async throws {
        try await TestDatabase.run(migrated: false) { test async throws in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await Migrator(test.database, [Self.first, Self.second]).migrate().count
                    }
                }
                let applied = try await group.reduce(0, +)
                #expect(applied == 2)
            }
        }
    }

    @Test func refusesAnAppliedMigrationThatChanged() async throws {
        try await TestDatabase.run(migrated: false) { test async throws in
            _ = try await Migrator(test.database, [Self.first]).migrate()
            let changed = Migration(number: 1, name: "first", sql: "CREATE TABLE other (id integer)")
            let error = await #expect(throws: MigrationError.self) {
                try await Migrator(test.database, [changed]).migrate()
            }
            #expect("\(try #require(error))".contains("migration 1 (first)"))
            await #expect(throws: MigrationError.self) { try await Migrator(test.database, [changed]).pending() }
            #expect(try await test.text("SELECT to_regclass('other')::text") == nil)
        }
    }

    @Test func refusesADatabaseNewerThanTheBinary() async throws {
        try await TestDatabase.run(migrated: false) { test async throws in
            _ = try await Migrator(test.database, [Self.first, Self.second]).migrate()
            let error = await #expect(throws: MigrationError.self) {
                try await Migrator(test.database, [Self.first]).migrate()
            }
            #expect("\(try #require(error))".contains("at migration 2, this binary knows 1"))
        }
    }

    @Test func aRefusedMigrationLeavesNothingBehind() async throws {
        try await TestDatabase.run(migrated: false) { test async throws in
            let broken = Migration(
                number: 2, name: "broken", sql: "CREATE TABLE half (id integer); SELECT no_such_function()")
            let error = await #expect(throws: MigrationError.self) {
                try await Migrator(test.database, [Self.first, broken]).migrate()
            }
            #expect("\(try #require(error))".contains("no_such_function"))
            #expect(try await test.text("SELECT to_regclass('half')::text") == nil)
            #expect(try await Migrator(test.database, [Self.first, broken]).pending().map(\.number) == [2])
        }
    }

    @Test func migrationsAreNumberedWithoutAGap() {
        #expect(Migration.all.map(\.number) == Array(1...Migration.all.count))
    }
}
