import Domain
import Testing

@testable import Persistence

@Suite struct EffectTests {
    private static let states =
        "SELECT string_agg(concat_ws(':', step_id, state, resource, error), ' ' ORDER BY number) FROM execution_effects"

    @Test func anIntentIsRecordedOnce() async throws {
        try await TestDatabase.run { test async throws in
            let fence = try await test.makeClaimed().fence
            let ledger = PostgresLedger(test.database)
            let effect = Effect.make(fence.executionID, request: ["name": "Ünïcode 🚀"])
            let other = Effect.make(fence.executionID, request: ["name": "other"])
            let outcomes = [
                try await ledger.intend(effect, fence: fence), try await ledger.intend(effect, fence: fence),
                try await ledger.intend(other, fence: fence),
            ]
            #expect(outcomes == [.applied, .alreadyApplied, .alreadyApplied])
            let row = try await test.text(
                "SELECT concat_ws('|', key, command, provider, plugin_id, request, state, resource) "
                    + "FROM execution_effects")
            #expect(
                row == "\(effect.key)|deploy_application|railway|railway|{\"name\": \"Ünïcode 🚀\"}|intended")
        }
    }

    @Test func aWorkerThatWasTakenOverIntendsNothing() async throws {
        try await TestDatabase.run { test async throws in
            let first = try await test.makeClaimed().fence
            let ledger = PostgresLedger(test.database)
            _ = try await ledger.intend(.make(first.executionID), fence: first)
            let second = try await test.takeOver(first).fence
            let late = [
                try await ledger.intend(.make(first.executionID, step: "2"), fence: first),
                try await ledger.checkpoint(
                    .make(
                        first, effects: [.make(first.executionID).becoming(.done, resource: ["id": "late"])],
                        deployments: [.make()], events: [.make()])),
            ]
            #expect(late == [.fenced, .fenced])
            #expect(try await test.text(Self.states) == "1:intended")
            #expect(try await test.count("SELECT count(*) FROM deployments") == 0)
            #expect(try await test.count("SELECT count(*) FROM webhook_deliveries") == 0)
            let alive = try await ledger.intend(.make(first.executionID, step: "2"), fence: second)
            #expect(alive == .applied)
        }
    }

    @Test func changesAreDurableWithTheirCheckpointAndOnlyForWhatWasIntended() async throws {
        try await TestDatabase.run { test async throws in
            let fence = try await test.makeClaimed().fence
            let stranger = try await test.makeClaimed().fence
            let ledger = PostgresLedger(test.database)
            let effects = ["1", "2"].map { Effect.make(fence.executionID, step: $0) }
            for effect in effects { _ = try await ledger.intend(effect, fence: fence) }
            _ = try await ledger.intend(.make(stranger.executionID), fence: stranger)
            let never = Effect.make(fence.executionID, step: "3")
            let foreign = Effect.make(stranger.executionID).becoming(.done, resource: ["id": "x"])
            let checkpoint = Checkpoint.make(
                fence, step: .make("1"),
                effects: [effects[0].becoming(.done, resource: ["id": "a"]), never.becoming(.done), foreign])
            let outcomes = [try await ledger.checkpoint(checkpoint), try await ledger.checkpoint(checkpoint)]
            #expect(outcomes == [.applied, .alreadyApplied])
            #expect(try await test.text(Self.states) == "1:done:{\"id\": \"a\"} 2:intended 1:intended")
        }
    }

    @Test func anEffectGoesOnFromWhereItStands() async throws {
        try await TestDatabase.run { test async throws in
            let fence = try await test.makeClaimed().fence
            let ledger = PostgresLedger(test.database)
            let effect = Effect.make(fence.executionID)
            _ = try await ledger.intend(effect, fence: fence)
            let steps: [(change: Effect, state: String)] = [
                (effect.becoming(.done, resource: ["id": 1]), "1:done:{\"id\": 1}"),
                // The journal of a resumed run may tell again what was known before.
                (effect.becoming(.intended), "1:done:{\"id\": 1}"),
                (effect.becoming(.done, resource: ["id": 2]), "1:done:{\"id\": 2}"),
                (effect.becoming(.undoFailed, error: "gone \0 wrong"), "1:undo_failed:{\"id\": 2}:gone \u{FFFD} wrong"),
                (effect.becoming(.done, resource: ["id": 3]), "1:undo_failed:{\"id\": 2}:gone \u{FFFD} wrong"),
                (effect.becoming(.undone), "1:undone:{\"id\": 2}"),
                (effect.becoming(.done, resource: ["id": 4]), "1:undone:{\"id\": 2}"),
            ]
            for step in steps {
                let outcome = try await ledger.checkpoint(.make(fence, effects: [step.change]))
                #expect(outcome == .applied)
                #expect(try await test.text(Self.states) == step.state)
            }
            let again = [
                try await ledger.intend(effect, fence: fence), try await ledger.intend(effect, fence: fence),
            ]
            #expect(again == [.applied, .alreadyApplied])
            #expect(try await test.text(Self.states) == "1:intended")
            let outcome = try await ledger.checkpoint(
                .make(fence, effects: [effect.becoming(.undoFailed, error: "no"), effect.becoming(.undone)]))
            #expect(outcome == .applied)
            #expect(try await test.text(Self.states) == "1:undone")
        }
    }

    @Test func aSuccessorLearnsWhatWasDoneInTheOrderInWhichItBegan() async throws {
        try await TestDatabase.run { test async throws in
            let first = try await test.makeClaimed(webhook: "https://hook.example")
            #expect(first.effects.isEmpty && first.hasWebhook)
            let ledger = PostgresLedger(test.database)
            let id = first.fence.executionID
            let effects = ["9", "10", "1"].map { Effect.make(id, step: $0, request: ["step": .string($0)]) }
            for effect in effects { _ = try await ledger.intend(effect, fence: first.fence) }
            let changes = [
                effects[0].becoming(.done, resource: ["ids": ["x"]]), effects[1].becoming(.undone),
                effects[2].becoming(.undoFailed, error: "refused"),
            ]
            _ = try await ledger.checkpoint(.make(first.fence, effects: changes))
            // What is begun anew is the last again.
            _ = try await ledger.intend(effects[1], fence: first.fence)
            let claimed = try await test.takeOver(first.fence)
            #expect(claimed.effects == [changes[0], changes[2], effects[1]])
            let silent = try await test.makeClaimed()
            #expect(claimed.hasWebhook && !silent.hasWebhook)
        }
    }

    @Test func anEffectThatCannotBeReadIsNotForgotten() async throws {
        try await TestDatabase.run { test async throws in
            let first = try await test.makeClaimed().fence
            _ = try await PostgresLedger(test.database).intend(.make(first.executionID), fence: first)
            try await test.query(
                "UPDATE execution_effects SET resource = (repeat('[', 600) || repeat(']', 600))::jsonb")
            let error = await #expect(throws: LedgerError.self) { try await test.takeOver(first) }
            #expect(error?.code == .rejected && error?.message.contains("resource") == true)
        }
    }

    @Test func noTextOfAPluginCostsACheckpoint() async throws {
        try await TestDatabase.run { test async throws in
            let fence = try await test.makeClaimed(webhook: "https://hook.example").fence
            let ledger = PostgresLedger(test.database)
            let hostile: JSON = ["k\0": "\0", "n": .decimal("1e999999")]
            let effect = Effect.make(fence.executionID, request: hostile)
            _ = try await ledger.intend(effect, fence: fence)
            var record = DeploymentRecord.make(logs: "a\0b\u{1}\u{1F}\"\\ 🚀\n")
            record.providerID = String(repeating: "é\0", count: 900)
            record.url = "https://\0"
            record.config = hostile
            record.environment = hostile
            record.deployLogs = String(repeating: "é", count: DeploymentRecord.maximumLogBytes) + "!"
            let outcome = try await ledger.checkpoint(
                .make(
                    fence, effects: [effect.becoming(.done, resource: hostile)], deployments: [record],
                    events: [.make("t\0", hostile), .make("null", .null)]))
            #expect(outcome == .applied)
            let stored = "{\"n\": \"1e999999\", \"k\u{FFFD}\": \"\u{FFFD}\"}"
            #expect(
                try await test.text("SELECT concat_ws('|', request, resource) FROM execution_effects")
                    == "\(stored)|\(stored)")
            #expect(
                try await test.text("SELECT concat_ws('|', config, environment_variables, app_url) FROM deployments")
                    == "\(stored)|\(stored)|https://\u{FFFD}")
            let logs = try await test.query(
                "SELECT build_logs, left(deploy_logs, 1), right(deploy_logs, 1), octet_length(deploy_logs) "
                    + "FROM deployments")
            #expect(logs.text(0, 0) == "a\u{FFFD}b\u{1}\u{1F}\"\\ 🚀\n")
            #expect(logs.text(0, 1) == "é" && logs.text(0, 2) == "!")
            #expect(logs.integer(0, 3) == Int64(DeploymentRecord.maximumLogBytes - 1))
            #expect(
                try await test.text("SELECT string_agg(type || data, ' ' ORDER BY sequence) FROM webhook_deliveries")
                    == "t\u{FFFD}\(stored) nullnull")
        }
    }

    @Test func aDeploymentIsOneRowThatIsWrittenAgain() async throws {
        try await TestDatabase.run { test async throws in
            let fence = try await test.makeClaimed().fence
            let ledger = PostgresLedger(test.database)
            var record = DeploymentRecord.make()
            _ = try await ledger.checkpoint(.make(fence, deployments: [record, .make(step: "2")]))
            record.providerID = "d-1"
            record.url = "https://app.example"
            record.status = .live
            record.buildLogs = ""
            let live = Checkpoint.make(fence, step: .make(), deployments: [record], events: [])
            let outcomes = [try await ledger.checkpoint(live), try await ledger.checkpoint(live)]
            #expect(outcomes == [.applied, .alreadyApplied])
            // Another attempt, with an id of its own, goes on with the same row.
            _ = try await ledger.checkpoint(.make(fence, deployments: [.make(step: "2", logs: "again\n")]))
            let rows = try await test.text(
                """
                SELECT string_agg(concat_ws('|', step_id, deployment_id, app_url, status, build_logs), ' '
                    ORDER BY step_id) FROM deployments
                """)
            #expect(rows == "1|d-1|https://app.example|live| 2|deploying|again\n")
            #expect(try await test.text("SELECT id FROM deployments WHERE step_id = '1'") == record.id.description)
        }
    }

    @Test func aDeploymentThatWasUndoneIsRemoved() async throws {
        try await TestDatabase.run { test async throws in
            let fence = try await test.makeClaimed().fence
            let ledger = PostgresLedger(test.database)
            let effects = ["1", "2"].map { Effect.make(fence.executionID, step: $0) }
            for effect in effects { _ = try await ledger.intend(effect, fence: fence) }
            var records = [DeploymentRecord.make(), .make(step: "2")]
            for index in records.indices { records[index].status = .live }
            _ = try await ledger.checkpoint(
                .make(fence, effects: effects.map { $0.becoming(.done) }, deployments: records))
            // One that was written long before, and one that comes with the same checkpoint.
            records[1].status = .failed
            let outcome = try await ledger.checkpoint(
                .make(fence, effects: effects.map { $0.becoming(.undone) }, deployments: [records[1]]))
            #expect(outcome == .applied)
            let states = try await test.text(
                "SELECT string_agg(concat_ws(':', step_id, status), ' ' ORDER BY step_id) FROM deployments")
            #expect(states == "1:removed 2:removed")
        }
    }
}
