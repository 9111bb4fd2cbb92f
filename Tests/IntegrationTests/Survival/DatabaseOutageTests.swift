import Domain
import Foundation
import Outbound
import Testing

@testable import App
@testable import Persistence

/// The database goes away in the middle of a run, for longer than anything of the host waits for it, and comes back.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DatabaseOutageTests {
    /// How the database goes away, and where the run is then: once this call is carried out.
    enum Outage: String, CaseIterable, Sendable {
        /// It neither answers nor refuses: the machine is stopped, or the network swallows everything.
        case frozen
        case killed
        case shutDown

        var call: JSON {
            switch self {
            case .frozen: ["provider": "anthropic", "match": "Create the back end of", "when_done": true]
            case .killed: ["provider": "railway", "match": "tcpProxyCreate", "when_done": true]
            case .shutDown: ["provider": "railway", "match": "up", "when_done": true]
            }
        }

        func begin(_ server: DatabaseServer) async throws {
            switch self {
            case .frozen: try server.freeze()
            case .killed: try await server.kill()
            case .shutDown: await server.stop()
            }
        }

        func end(_ server: DatabaseServer) async throws {
            switch self {
            case .frozen: try server.thaw()
            case .killed, .shutDown: try await server.start()
            }
        }
    }

    /// Everything that waits for the database, scaled down: an outage is longer than all of it together. With
    /// `AIBACKEND_OUTAGE_SECONDS` the host waits as it does when nobody sets anything, and an outage lasts so long.
    private static let seconds = ProcessInfo.processInfo.environment["AIBACKEND_OUTAGE_SECONDS"].flatMap { Int($0) }
    static let impatience =
        seconds == nil
        ? ["ENGINE_LEASE_SECONDS": "3", "DATABASE_WAIT_SECONDS": "1", "DATABASE_ANSWER_SECONDS": "1"] : [:]

    @Test func `a database that is frozen, killed and shut down in one run costs nothing but time`() async throws {
        try await SurvivalWorld.with("outage") { world in
            let host = try world.startHost(environment: Self.impatience)
            let account = try await host.client.registered()
            var gate = try await world.provider.close(Outage.frozen.call)
            let id = try await account.beginSaaS("Ebb", hasDomain: false)
            var records: [SurvivalRecord] = []
            for (number, outage) in Outage.allCases.enumerated() {
                try await world.provider.waitUntilHeld(gate)
                records.append(try await SurvivalRecord.take(id, in: world))
                try await outage.begin(world.server)
                let next = Outage.allCases.dropFirst(number + 1).first
                let following: Int64? = if let next { try await world.provider.close(next.call) } else { nil }
                // What the run gets now it cannot write down.
                try await world.provider.open(gate)
                try await Self.outlast(outage, host, account, id)
                try await outage.end(world.server)
                if let following { gate = following }
            }
            let execution = try await account.endedInTheEnd(id)
            let unsettled = try await SurvivalInvariants.check(execution, in: world, records: records)
            for line in unsettled { print("outages, not settled: \(line)") }
            try await SurvivalInvariants.checkResources(of: 1, domains: 0, in: world)
            #expect(host.stop() == 0)
        }
    }

    /// Clients are told to come again, and the host stays up, until it must think that its lease is lost.
    private static func outlast(_ outage: Outage, _ host: HostProcess, _ client: APIClient, _ id: String) async throws {
        if let seconds {
            // By default an answer is waited for longer than that, so that a frozen database is only slow.
            let end = ContinuousClock.now.advanced(by: .seconds(seconds))
            if outage != .frozen { try await client.isToldToComeAgain("/v1/executions/\(id)") }
            #expect(try await client.get("/health").status == 200, "\(outage)")
            return try await Task.sleep(until: end)
        }
        let lettingGo = host.log.components(separatedBy: "run let go").count
        try await client.isToldToComeAgain("/v1/executions/\(id)")
        #expect(try await client.get("/health").status == 200, "\(outage)")
        #expect(try await client.send("GET", "/ready").status == 503, "\(outage)")
        try await ZombieTests.waitUntil("it has let go of the run") {
            host.log.components(separatedBy: "run let go").count > lettingGo
        }
    }
}

extension APIClient {
    /// Asks until the answer is 503; it is a problem, and says when to come again.
    func isToldToComeAgain(_ path: String) async throws {
        while true {
            let answer = try await send("GET", path)
            guard answer.status == 503 else {
                try #require(answer.status == 200, "\(String(decoding: answer.bytes, as: UTF8.self))")
                continue
            }
            #expect(answer.header("retry-after").flatMap { Int($0) } != nil)
            #expect(answer.header("content-type") == "application/problem+json")
            return
        }
    }

    /// Asks until the run has ended, whatever the answers are until then.
    func endedInTheEnd(_ id: String) async throws -> JSON {
        while true {
            try Task.checkCancellation()
            guard let answer = try? await get("/v1/executions/\(id)"), answer.status == 200 else { continue }
            if let execution = try? await ended(id) { return execution }
        }
    }
}
