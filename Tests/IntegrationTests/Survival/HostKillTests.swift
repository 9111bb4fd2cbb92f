import Domain
import Foundation
import Outbound
import Testing

@testable import App

/// `kill -9` of the host at instants drawn from a seed, between effects and their records among them: every run
/// completes, and nothing is done, made or paid twice.
@Suite(.serialized, .timeLimit(.minutes(30))) struct HostKillTests {
    /// Below what a step survives: then it is given up.
    private static let killsPerRun = 4

    /// Each leaves an application that goes on running.
    private static let runsPerWorld = 12

    @Test func `killed at seeded instants every run of the SaaS template completes`() async throws {
        var plan = KillPlan.fromEnvironment
        print("seed \(plan.seed), \(plan.kills) kills (AIBACKEND_SEED, AIBACKEND_KILLS)")
        var kills = 0
        while kills < plan.kills {
            let before = kills
            try await SurvivalWorld.with("kills") { world in try await Self.kill(&kills, by: &plan, world) }
            try #require(kills > before, "hardly an instant is ever reached")
        }
    }

    private static func kill(_ kills: inout Int, by plan: inout KillPlan, _ world: SurvivalWorld) async throws {
        let first = try world.startHost()
        let account = try await first.client.registered()
        let quiet = try await quietRun(account, world)
        #expect(first.stop() == 0)
        var runs = 1
        while kills < plan.kills, runs < runsPerWorld {
            var run = KilledRun(world: world, account: account, name: "Tide\(runs)")
            while kills < plan.kills, run.kills < killsPerRun {
                let instant = plan.instant(kills, calls: quiet.calls, lines: quiet.lines)
                guard let place = try await run.kill(at: instant) else { break }
                kills += 1
                print("run \(runs), kill \(kills): \(instant): \(place)")
            }
            let execution = try await run.end()
            let unsettled = try await SurvivalInvariants.check(execution, in: world, records: run.records)
            for line in unsettled { print("run \(runs), not settled: \(line)") }
            // Nobody looks after this domain any more while later runs are counted.
            _ = try await world.provider.send("POST", "/railway/domains/\(run.domain)/verify", body: [])
            runs += 1
        }
        try await SurvivalInvariants.checkResources(of: runs, in: world)
    }

    /// How much there is of a run to which nothing happens.
    private static func quietRun(_ client: APIClient, _ world: SurvivalWorld) async throws -> (calls: Int, lines: Int) {
        let id = try await client.beginSaaS("Tide0")
        let execution = try await client.ended(id)
        let unsettled = try await SurvivalInvariants.check(execution, in: world)
        #expect(unsettled.isEmpty)
        let lines = try await client.get("/v1/executions/\(id)/logs?limit=1000").body["logs"]?.arrayValue ?? []
        let calls = try await world.provider.calls()
        let different = Set(calls.map { "\($0["model"]?.text ?? "") \($0["prompt"]?.text ?? "")" }).count
        print("a run makes \(calls.count) calls, \(different) different ones, and writes \(lines.count) lines")
        return (different, lines.count)
    }
}
