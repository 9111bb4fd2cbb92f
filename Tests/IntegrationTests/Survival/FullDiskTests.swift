import Domain
import Foundation
import Glibc
import Outbound
import Testing

@testable import App
@testable import Persistence

/// The disk under the host's private database is full in the middle of a run: first for rows, then for the server's own
/// log, without which it cannot even start.
@Suite(.serialized, .timeLimit(.minutes(10))) struct FullDiskTests {
    @Test(.enabled(if: SmallDisk.isAvailable, "mounting a small disk takes a user who may, such as root"))
    func `a database that was killed and then had no room goes on where it was`() async throws {
        try await SurvivalWorld.with("full-disk") { outer in
            let folder = outer.folder + "/host/postgres"
            let disk = try SmallDisk(at: folder, megabytes: 160)
            defer { disk.unmount() }
            var world = outer
            world.databaseURL = try ClusterLayout(folder, account: .current()).connectionURL
            let host = try world.startHost(environment: DatabaseOutageTests.impatience, isPrivate: true)
            let account = try await host.client.registered()

            let first = try await world.provider.close(
                ["provider": "anthropic", "match": "Plan the architecture of", "when_done": true])
            let second = try await world.provider.close(
                ["provider": "anthropic", "match": "Create the back end of", "when_done": true])
            let id = try await account.beginSaaS("Flood", hasDomain: false)
            try await world.provider.waitUntilHeld(first)
            // The host starts its own server again.
            Glibc.kill(try DatabaseServer.postmaster(in: folder), SIGKILL)
            try await world.provider.open(first)
            try await world.provider.waitUntilHeld(second)
            let record = try await SurvivalRecord.take(id, in: world)

            try disk.fill()
            try await world.provider.open(second)
            let others = try await account.beginUntilRefused()
            try await Self.fillLog(world)
            try await account.isToldToComeAgain("/v1/executions/\(id)")
            #expect(try await account.get("/health").status == 200)
            try disk.makeRoom()

            let execution = try await account.endedInTheEnd(id)
            let unsettled = try await SurvivalInvariants.check(execution, in: world, records: [record])
            for line in unsettled { print("full disk, not settled: \(line)") }
            for other in others {
                try await SurvivalInvariants.check(try await account.endedInTheEnd(other), in: world)
            }
            try await SurvivalInvariants.checkResources(of: 1, domains: 0, in: world)
            #expect(host.stop() == 0)
        }
    }

    /// Writes the server's log full: it needs room for the next part of it, has none, and ends.
    private static func fillLog(_ world: SurvivalWorld) async throws {
        await #expect(throws: LedgerError.self) {
            try await world.withDatabase { database in
                while true {
                    _ = try await database.query(
                        "SELECT pg_logical_emit_message(false, 'test', repeat('x', 1000000))")
                }
            }
        }
    }
}

extension APIClient {
    /// Has small runs admitted until there is no room for another; answers those that there are.
    fileprivate func beginUntilRefused() async throws -> [String] {
        var admitted: [String] = []
        while true {
            try Task.checkCancellation()
            let configuration: JSON = [
                "product_name": .string("Tides \(admitted.count)"), "audience": "harbour masters",
            ]
            let answer = try await send(
                "POST", "/v1/templates/market-brief/execute",
                headers: [OutboundRequest.Header("content-type", "application/json")],
                body: (["configuration": configuration] as JSON).bytes)
            guard answer.status == 202 else {
                try #require(answer.status == 503, "\(String(decoding: answer.bytes, as: UTF8.self))")
                #expect(answer.header("retry-after").flatMap { Int($0) } != nil)
                return admitted
            }
            admitted.append(try #require(try JSON.parse(answer.bytes)["execution_id"]?.stringValue))
        }
    }
}
