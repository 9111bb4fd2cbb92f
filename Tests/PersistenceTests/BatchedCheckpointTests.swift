import Domain
import Testing

@testable import Persistence

/// Checkpoints of several executions that are carried out as one statement.
@Suite struct BatchedCheckpointTests {
    private static func submit(_ checkpoint: Checkpoint, _ test: TestDatabase) -> Task<FenceOutcome, any Error> {
        .immediate { try await PostgresLedger(test.database).checkpoint(checkpoint) }
    }

    /// What a checkpoint leaves behind, without what names the execution or the moment.
    private static let written = """
        SELECT jsonb_build_array(
            to_jsonb(e) - ARRAY['id', 'owner', 'created_at', 'updated_at', 'start_time', 'end_time',
                'turn_at', 'estimated_completion'],
            e.end_time IS NOT NULL,
            (SELECT jsonb_agg(to_jsonb(s) - 'execution_id' ORDER BY step_id)
                FROM execution_steps s WHERE s.execution_id = e.id),
            (SELECT jsonb_agg(to_jsonb(l) - 'execution_id' ORDER BY sequence)
                FROM execution_logs l WHERE l.execution_id = e.id))::text
        FROM template_executions e WHERE e.id = $1::uuid
        """

    /// A checkpoint of each common shape.
    private static let shapes: [@Sendable (Fence) -> Checkpoint] = [
        { .make($0) },
        { .make($0, logs: [.make(1)]) },
        { .make($0, step: .make(), logs: [.make(1, "a \"quoted\", {braced} \\ line"), .make(2, "")]) },
        {
            .make(
                $0, step: .make("1", output: ["text": "ü \\ \" \n {}"]), logs: (1...3).map { .make($0) }, progress: 50)
        },
        { .make($0, step: .make(), logs: (1...7).map { .make($0) }, progress: 99) },
        { .make($0, logs: [.make(1)], ending: .failure) },
        { .make($0, step: .make(), logs: (1...3).map { .make($0) }, progress: 100, ending: .success) },
        {
            .make(
                $0,
                step: .make(
                    "1", output: .null,
                    error: ExecutionError(
                        code: "c", message: "m", step: "Step 1", isRetryable: true, action: "again")))
        },
    ]

    @Test(arguments: shapes.indices) func manyAreWrittenLikeOne(shape: Int) async throws {
        let checkpoint = Self.shapes[shape]
        try await TestDatabase.run(configuration: TestDatabase.oneLane) { test async throws in
            let claimed = try await test.makeClaimed(count: 4)
            let alone = try await Self.submit(checkpoint(claimed[0].fence), test).value
            let outcomes = try await test.together {
                claimed.dropFirst().map { Self.submit(checkpoint($0.fence), test) }
            }
            #expect(alone == .applied)
            #expect(try outcomes.map { try $0.get() } == [.applied, .applied, .applied])
            #expect(try await test.preparedForMany() == 1)
            var rows: Set<String?> = []
            for execution in claimed {
                rows.insert(try await test.text(Self.written, [.uuid(execution.fence.executionID)]))
            }
            #expect(rows.count == 1 && !rows.contains(nil))
        }
    }

    @Test func replaysAreAlreadyAppliedAmongOthers() async throws {
        try await TestDatabase.run(configuration: TestDatabase.oneLane) { test async throws in
            let claimed = try await test.makeClaimed(count: 3)
            let first = Checkpoint.make(claimed[0].fence, step: .make(), logs: [.make(1)])
            _ = try await PostgresLedger(test.database).checkpoint(first)
            let outcomes = try await test.together {
                [
                    Self.submit(.make(claimed[1].fence, step: .make(), logs: [.make(1)]), test),
                    Self.submit(first, test),
                    Self.submit(.make(claimed[2].fence, step: .make(), logs: [.make(1)]), test),
                ]
            }
            #expect(try outcomes.map { try $0.get() } == [.applied, .alreadyApplied, .applied])
            #expect(try await test.count("SELECT count(*) FROM execution_steps") == 3)
            #expect(try await test.count("SELECT count(*) FROM execution_logs") == 3)
        }
    }

    /// A call that nobody settled ends with its execution, and with no other.
    @Test func endingsCutTheirOwnOpenCallsAlone() async throws {
        try await TestDatabase.run(configuration: TestDatabase.oneLane) { test async throws in
            let claimed = try await test.makeClaimed(count: 3)
            let ledger = PostgresLedger(test.database)
            for execution in claimed { _ = try await ledger.open(.demo(), fence: execution.fence) }
            let outcomes = try await test.together {
                claimed.prefix(2).map { Self.submit(.make($0.fence, ending: .failure), test) }
            }
            #expect(try outcomes.map { try $0.get() } == [.applied, .applied])
            let open = try await test.text(
                "SELECT string_agg(execution_id::text, ',') FROM ai_api_calls WHERE state = 'open'")
            #expect(open == claimed[2].fence.executionID.description)
        }
    }

    /// The statement already waits for the lock of one of its executions when that one's take-over commits.
    @Test func oneThatIsTakenOverMeanwhileWritesNothingAndSparesTheOthers() async throws {
        try await TestDatabase.run(configuration: TestDatabase.oneLane) { test async throws in
            let claimed = try await test.makeClaimed(count: 3)
            let (lost, successor) = (claimed[1].fence, TestDatabase.id())
            let locked = AsyncStream<Void>.makeStream()
            let release = EventBox()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // What `claim` does, held open before its commit.
                    try await test.database.transaction { session throws(DatabaseError) in
                        _ = try session.query(
                            "UPDATE template_executions SET owner = $1::uuid, epoch = epoch + 1 WHERE id = $2::uuid",
                            [.uuid(successor), .uuid(lost.executionID)])
                        locked.continuation.finish()
                        release.counter.wait()
                    }
                }
                for await _ in locked.stream {}
                group.addTask {
                    try await test.untilOneWaits(for: "transactionid")
                    release.counter.add()
                }
                let outcomes = try await test.together {
                    claimed.map { Self.submit(.make($0.fence, step: .make(), logs: [.make(1)], progress: 90), test) }
                }
                #expect(try outcomes.map { try $0.get() } == [.applied, .fenced, .applied])
                try await group.waitForAll()
            }
            let rows = """
                SELECT (SELECT count(*) FROM execution_steps WHERE execution_id = e.id)
                    + (SELECT count(*) FROM execution_logs WHERE execution_id = e.id) + e.progress_percentage
                FROM template_executions e WHERE e.id = $1::uuid
                """
            var written: [Int64?] = []
            for execution in claimed {
                written.append(try await test.count(rows, [.uuid(execution.fence.executionID)]))
            }
            #expect(written == [92, 0, 92])
        }
    }

    /// A plan is kept for the life of a connection: it must not be one for young tables.
    @Test func noneReadsAWholeTable() async throws {
        try await TestDatabase.run(configuration: TestDatabase.oneLane) { test async throws in
            let fence = try await test.makeClaimed().fence
            try await test.query("ANALYZE")
            let whole = CheckpointStatement(
                .make(fence, step: .make(), logs: [.make(1), .make(2)], progress: 100, ending: .success))
            let sql = try #require(whole.statement.batched)
            let nulls = whole.parameters.map { _ in "NULL" }.joined(separator: ", ")
            var plan: [String] = []
            for line in ["PREPARE whole AS \(sql)", "EXPLAIN EXECUTE whole (\(nulls))", "DEALLOCATE whole"] {
                let rows = try await test.database.execute(Statement(nil, line), [])
                plan += (0..<rows.count).compactMap { rows.text($0, 0) }
            }
            #expect(plan.contains { $0.contains("template_executions_pkey") })
            #expect(plan.contains { $0.contains("execution_id_idx") })
            #expect(!plan.contains { $0.contains("Seq Scan") || $0.contains("Hash Join") || $0.contains("Merge Join") })
        }
    }
}
