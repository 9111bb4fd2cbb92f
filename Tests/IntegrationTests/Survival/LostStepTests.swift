import Domain
import Outbound
import Testing

@testable import App

/// A step at which the host dies each time, as one does whose plugin takes the process down.
@Suite(.serialized, .timeLimit(.minutes(5))) struct LostStepTests {
    @Test func `a system step that takes its host down each time is given up and undone`() async throws {
        try await SurvivalWorld.with("lost-step") { world in
            var host = try world.startHost()
            let account = try await host.client.registered()
            // Whoever comes here dies. No step of a model runs beside this one, so that none is cut with it.
            let gate = try await world.provider.close(["provider": "railway", "match": "up"])
            let id = try await account.beginSaaS("Maelstrom", hasDomain: false)
            var losses = 0
            while true {
                let (client, calls) = (world.client(account, at: host), losses + 1)
                let hasCome = try await SurvivalWorld.first {
                    try await world.provider.waitUntilHeld(gate, calls: calls)
                    return true
                } or: {
                    _ = try await client.ended(id)
                    return false
                }
                guard hasCome else { break }
                host.kill()
                losses += 1
                host = try world.startHost()
            }
            // The first owner writes nothing down that has not gone wrong yet.
            #expect(losses == 6)
            let execution = try await world.client(account, at: host).ended(id)
            try await SurvivalInvariants.check(execution, in: world, endsAs: "failed")
            let error = try #require(execution["error"])
            #expect(error["code"] == "step_lost" && error["step"] == "Application Deployment", "\(error.text)")
            #expect(error["not_undone"] == nil, "\(error.text)")
            try await SurvivalInvariants.checkResources(of: 0, in: world)
            #expect(host.stop() == 0)
        }
    }
}
