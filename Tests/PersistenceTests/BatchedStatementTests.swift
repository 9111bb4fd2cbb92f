import Domain
import Testing

@testable import Persistence

/// Statements of one name that travel together are carried out as one.
@Suite struct BatchedStatementTests {
    private static let echo = Statement(
        "echo", "SELECT $1::text, $2::integer",
        batched: """
            SELECT text, value, number
            FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY AS given (text, value, number) ORDER BY number DESC
            """)

    private static let insert = Statement(
        "insert", "INSERT INTO numbers VALUES ($1::integer) RETURNING value",
        batched: """
            INSERT INTO numbers SELECT * FROM unnest($1::integer[])
            RETURNING value, array_position($1::integer[], value)
            """)

    private static func submit(
        _ statement: Statement, _ parameters: [SQLValue], _ test: TestDatabase, affinity: UUIDv7 = TestDatabase.id()
    ) -> Task<Rows, any Error> {
        .immediate { try await test.database.execute(statement, parameters, affinity: affinity) }
    }

    @Test func eachGetsItsOwnRowWhateverTheValues() async throws {
        let texts: [String?] = [
            "plain", nil, "", "NULL", "null", "{a,b}", "a,b", "\"quoted\"", "back\\slash\\", " spaces ", "new\nline",
            "ü🚀", "\\\"", "'",
        ]
        try await TestDatabase.run(configuration: TestDatabase.oneLane, migrated: false) { test async throws in
            let results = try await test.together {
                texts.enumerated().map { Self.submit(Self.echo, [.text($1), .count($0)], test) }
            }
            for (index, result) in results.enumerated() {
                let rows = try result.get()
                #expect(rows.count == 1)
                #expect(rows.text(0, 0) == texts[index] && rows.integer(0, 1) == Int64(index))
            }
            #expect(try await test.preparedForMany() == 1)
        }
    }

    @Test func oneThatIsRefusedFailsAlone() async throws {
        try await TestDatabase.run(configuration: TestDatabase.oneLane, migrated: false) { test async throws in
            try await test.query("CREATE TABLE numbers (value integer PRIMARY KEY CHECK (value <> 13))")
            let results = try await test.together {
                (0..<40).map { Self.submit(Self.insert, [.count($0)], test) }
            }
            for (number, result) in results.enumerated() {
                if number == 13 {
                    #expect(throws: LedgerError.self) { try result.get() }
                } else {
                    #expect(try result.get().integer(0, 0) == Int64(number))
                }
            }
            #expect(try await test.count("SELECT count(*) FROM numbers") == 39)
        }
    }

    @Test func oneWithoutARowOfItsOwnGetsNone() async throws {
        let even = Statement(
            "even", "SELECT 1 WHERE $1::integer % 2 = 0",
            batched: """
                SELECT 1, number FROM unnest($1::integer[]) WITH ORDINALITY AS given (value, number) WHERE value % 2 = 0
                """)
        try await TestDatabase.run(configuration: TestDatabase.oneLane, migrated: false) { test async throws in
            let results = try await test.together { (0..<10).map { Self.submit(even, [.count($0)], test) } }
            #expect(try results.map { try $0.get().isEmpty } == (0..<10).map { $0 % 2 == 1 })
        }
    }

    /// What one execution writes is not carried out as one statement: the second may stand on the first.
    @Test func statementsOfOneExecutionKeepTheirOrder() async throws {
        let append = Statement(
            "append", "INSERT INTO written (value) VALUES ($1::integer)",
            batched: """
                INSERT INTO written (value) SELECT * FROM unnest($1::integer[])
                """)
        try await TestDatabase.run(configuration: TestDatabase.oneLane, migrated: false) { test async throws in
            try await test.query("CREATE TABLE written (id bigserial, value integer)")
            let executions = (0..<3).map { _ in TestDatabase.id() }
            let results = try await test.together {
                (0..<30).map { Self.submit(append, [.count($0)], test, affinity: executions[$0 % 3]) }
            }
            for result in results { _ = try result.get() }
            let order = try await test.count(
                """
                SELECT count(*) FROM written earlier JOIN written later
                    ON later.value % 3 = earlier.value % 3 AND later.value > earlier.value AND later.id < earlier.id
                """)
            #expect(order == 0)
            #expect(try await test.count("SELECT count(*) FROM written") == 30)
            #expect(try await test.preparedForMany() == 1)
        }
    }
}
