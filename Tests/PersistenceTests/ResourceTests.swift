import Domain
import Testing

@testable import Persistence

@Suite struct ResourceTests {
    @Test func whatARunMadeReadsAsTheAPIShowsIt() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await test.makeClaimed()
            let ledger = PostgresLedger(test.database)
            let id = claimed.fence.executionID
            let deploy = Effect.make(id, request: ["hidden": "request"])
            let domain = Effect.make(id, step: "2", command: "setup_domain")
            for effect in [deploy, domain] { _ = try await ledger.intend(effect, fence: claimed.fence) }
            var deployment = DeploymentRecord.make(logs: "hidden log")
            deployment.url = "https://a.example"
            deployment.providerID = "d-1"
            deployment.status = .live
            deployment.environment = ["HIDDEN": "variable"]
            _ = try await ledger.checkpoint(
                .make(
                    claimed.fence, step: .make("2", output: ["domain": "shop.example", "status": "pending_dns"]),
                    effects: [
                        deploy.becoming(.done, resource: ["service": "s-1"]),
                        domain.becoming(.undoFailed, error: "the provider refused"),
                    ], deployments: [deployment]))
            let monitors = PostgresMonitors(test.database)
            for name in ["a", "b"] {
                let monitor = HealthMonitor(
                    id: TestDatabase.id(), executionID: id, name: name, url: "https://a.example/health",
                    expectedStatus: nil, interval: .seconds(60))
                try await monitors.start(monitor)
                guard name == "b" else { continue }
                try await monitors.record(
                    ProbeResult(isHealthy: false, latency: .milliseconds(7), status: 500, reason: "status 500"),
                    of: monitor)
            }

            let text = try #require(
                try await PostgresReader(test.database).resources(id, of: claimed.userID))
            #expect(!text.contains("hidden") && !text.contains("HIDDEN"))
            let json = try JSON.parse(text)
            let effects = try #require(json["effects"]?.arrayValue)
            #expect(effects.map { $0["command"] } == ["deploy_application", "setup_domain"])
            #expect(effects[0]["state"] == "done" && effects[0]["resource"] == ["service": "s-1"])
            #expect(effects[0]["error"] == .null && effects[0]["provider"] == "railway")
            #expect(effects[1]["state"] == "undo_failed" && effects[1]["error"] == "the provider refused")
            let made = try #require(json["deployments"]?.arrayValue)
            #expect(made.count == 1 && made[0]["url"] == "https://a.example" && made[0]["status"] == "live")
            #expect(made[0]["deployment_id"] == "d-1")
            #expect(json["domains"]?.arrayValue?.map { $0["status"] } == ["pending"])
            let checks = try #require(json["monitors"]?.arrayValue)
            #expect(checks.map { $0["name"] } == ["a", "b"] && checks[0]["last_check"] == .null)
            #expect(checks[0]["interval_seconds"] == 60 && checks[0]["is_running"] == true)
            let last = try #require(checks[1]["last_check"])
            #expect(last["status"] == "unhealthy" && last["error"] == "status 500" && last["response_time_ms"] == 7)
            for time in [effects[0]["created_at"], made[0]["created_at"], last["checked_at"]] {
                #expect(time?.stringValue?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
            }
        }
    }

    @Test func aRunThatMadeNothingHasEmptyListsAndStrangersSeeNone() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await test.makeClaimed()
            let reader = PostgresReader(test.database)
            let id = claimed.fence.executionID
            let text = try #require(try await reader.resources(id, of: claimed.userID))
            #expect(try JSON.parse(text) == ["effects": [], "deployments": [], "domains": [], "monitors": []])
            let stranger = try await reader.resources(id, of: try await test.makeUser())
            let unknown = try await reader.resources(TestDatabase.id(), of: claimed.userID)
            #expect(stranger == nil && unknown == nil)
        }
    }
}
