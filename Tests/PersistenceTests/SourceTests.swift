import Domain
import Testing

@testable import Persistence

@Suite struct SourceTests {
    /// Steps "1" … in the template's order, each with the places of those it depends on.
    private static func plan(_ dependencies: [[Int]]) -> ExecutionPlan {
        ExecutionPlan(
            templateSlug: "demo", templateVersion: "1.0.0", deploymentConfig: .null,
            steps: dependencies.enumerated().map { index, dependencies in
                PlannedStep(
                    id: "\(index + 1)", name: "Step \(index + 1)", slug: "step_\(index + 1)",
                    action: .system(SystemAction(command: "noop", provider: "core", parameters: .null)),
                    dependencies: dependencies, outputNames: [], isOptional: false, timeout: .seconds(60),
                    maximumAttempts: 1)
            }, requiredOutputs: [])
    }

    private static func files(_ path: String) -> JSON {
        ["summary": .string("wrote \(path)"), "files": [["path": .string(path), "content": "ä\"\\\n🚀"]]]
    }

    private static func claim(_ test: TestDatabase, _ plan: ExecutionPlan) async throws -> ClaimedExecution {
        try await PostgresCatalog(test.database).publish(.demo())
        let ledger = PostgresLedger(test.database)
        _ = try await ledger.admit(.demo(user: try await test.makeUser(), plan: plan))
        let worker = TestDatabase.id()
        try await ledger.renew(worker: worker, lease: .seconds(60))
        return try #require(try await ledger.claim(worker: worker, limit: 1, inFlight: []).first)
    }

    @Test func contributionsComeBehindWhatTheyDependOnAndElseAsInTheTemplate() async throws {
        try await TestDatabase.run { test async throws in
            // 1 needs 4; 2 and 3 need nothing; 4 needs 3; 5 needs 2.
            let claimed = try await Self.claim(test, Self.plan([[3], [], [], [2], [1]]))
            let ledger = PostgresLedger(test.database)
            for step in ["5", "3", "2", "4", "1"] {
                _ = try await ledger.checkpoint(
                    .make(claimed.fence, step: .make(step, output: Self.files("\(step).txt"))))
            }
            let sources = PostgresSources(test.database)
            let found = try #require(try await sources.contributions(of: claimed.fence.executionID))
            #expect(found.map(\.step) == ["Step 2", "Step 3", "Step 4", "Step 1", "Step 5"])
            #expect(found[0].summary == "wrote 2.txt")
            #expect(found[0].files == [SourceFile(path: "2.txt", content: "ä\"\\\n🚀")])
            #expect(found[0].time == Timestamp(microseconds: 1_700_000_001_654_321))
        }
    }

    @Test func onlyFilesOfStepsThatSucceededCount() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await Self.claim(test, Self.plan([[], [], [], [], []]))
            let ledger = PostgresLedger(test.database)
            let error = ExecutionError(code: "e", message: "m", step: nil, isRetryable: false, action: "")
            let records: [StepRecord] = [
                .make("1", output: ["files": "none"]), .make("2", output: Self.files("failed.txt"), error: error),
                .make("3", output: ["files": []]), .make("4", output: "text"),
                .make(
                    "5",
                    output: [
                        "files": [["path": "a"], "odd", ["path": 1, "content": "x"], ["path": "b", "content": ""]]
                    ]),
            ]
            for record in records { _ = try await ledger.checkpoint(.make(claimed.fence, step: record)) }
            let found = try await PostgresSources(test.database).contributions(of: claimed.fence.executionID)
            #expect(found?.map(\.step) == ["Step 5"] && found?.first?.summary == "")
            #expect(found?.first?.files == [SourceFile(path: "b", content: "")])
        }
    }

    @Test func strangersSeeNothing() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await test.makeClaimed()
            let sources = PostgresSources(test.database)
            let id = claimed.fence.executionID
            let unknown = try await sources.contributions(of: TestDatabase.id())
            let stranger = try await sources.contributions(of: id, user: try await test.makeUser())
            let owner = try await sources.contributions(of: id, user: claimed.userID)
            #expect(unknown == nil && stranger == nil && owner == [])
        }
    }

    @Test func aPlanThatCannotBeReadIsAnError() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await test.makeClaimed()
            _ = try await PostgresLedger(test.database).checkpoint(
                .make(claimed.fence, step: .make("1", output: Self.files("a"))))
            try await test.query("UPDATE template_executions SET plan = '{\"format\": 99}'")
            let error = await #expect(throws: LedgerError.self) {
                try await PostgresSources(test.database).contributions(of: claimed.fence.executionID)
            }
            #expect(error?.code == .rejected && error?.message.contains("plan") == true)
        }
    }

    @Test func aCycleEndsInTheTemplatesOrder() {
        #expect(Self.plan([[1], [0], []]).stepsInOrder.map(\.id) == ["3", "1", "2"])
    }
}
