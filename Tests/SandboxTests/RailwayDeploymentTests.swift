import Domain
import HTTPTypes
import HummingbirdTesting
import Synchronization
import Testing

@testable import Sandbox

@Suite(.timeLimit(.minutes(1))) struct RailwayDeploymentTests {
    private static let domain = """
        mutation M($e: String!, $s: String!) {
          serviceDomainCreate(input: {environmentId: $e, serviceId: $s}) { id domain }
        }
        """

    private func domain(_ place: RailwayClient.Place, _ client: RailwayClient) async throws -> String {
        let variables: JSON = ["e": .string(place.environment), "s": .string(place.service)]
        return try await client.data(Self.domain, variables)["serviceDomainCreate"]?["domain"]?.stringValue ?? ""
    }

    @Test func runsWhatIsUploadedUnderAStableAddress() async throws {
        let applications = FakeApplications()
        try await withRailway(applications: applications) { client in
            let place = try await client.place()
            try await client.set(["COLOUR": "red"], place)
            let address = try await domain(place, client)
            let first = try await client.deployed(place, message: "key-1")
            try await client.wait(for: "SUCCESS", of: first)
            let started = try #require(applications.started.first)
            #expect(started.id == first)
            #expect(started.archive == Archive.application)
            #expect(started.environment["COLOUR"] == "red")
            #expect(started.environment["PORT"] == String(started.port))
            #expect(address == "127.0.0.1:\(started.port)")
            #expect(try await client.log("buildLogs", first) == ["unpacked \(Archive.application.count) bytes"])
            #expect(try await client.log("deploymentLogs", first) == ["listening on \(started.port)"])
            applications.say("a late line", as: first)
            try await client.wait(for: "SUCCESS", of: first)

            let second = try await client.deployed(place, message: "key-2")
            try await client.wait(for: "SUCCESS", of: second)
            try await client.wait(for: "REMOVED", of: first)
            #expect(applications.started.last?.replaces == first)
            #expect(applications.started.last?.port == started.port)
            #expect(applications.running == [second])
            let listed =
                try await client.data(
                    """
                    query Q($s: String!) {
                      deployments(input: {serviceId: $s}, first: 5) { edges { node { id status meta url } } }
                    }
                    """, ["s": .string(place.service)])["deployments"]?["edges"]?.arrayValue ?? []
            #expect(listed.map { $0["node"]?["meta"]?["cliMessage"] } == ["key-2", "key-1"])
            #expect(listed.first?["node"]?["url"] == .string(address))
        }
        #expect(applications.running.isEmpty, "nothing outlives the sandbox")
    }

    @Test func deletingAProjectStopsItsApplicationsAndDropsItsDatabases() async throws {
        let applications = FakeApplications()
        try await withRailway(applications: applications) { client in
            let place = try await client.place()
            try await client.wait(for: "SUCCESS", of: try await client.deployed(place))
            #expect(applications.running.count == 1)
            _ = try await client.data(
                "mutation M($p: String!) { projectDelete(id: $p) }", ["p": .string(place.project)])
            #expect(applications.running.isEmpty)
            let state = try await client.state().objectValue
            #expect(state?.members.allSatisfy { $0.value == [] } == true, "\(state.map { JSON.object($0).text } ?? "")")
        }
    }

    @Test func aFailureLeavesTheOldOneRunning() async throws {
        let applications = FakeApplications()
        try await withRailway(applications: applications) { client in
            let place = try await client.place()
            let first = try await client.deployed(place)
            try await client.wait(for: "SUCCESS", of: first)
            applications.state.withLock { $0.failure = ApplicationFailure(.build, "no package.json") }
            let second = try await client.deployed(place)
            try await client.wait(for: "FAILED", of: second)
            #expect(try await client.log("buildLogs", second).last == "no package.json")
            try await client.wait(for: "SUCCESS", of: first)
            #expect(applications.running == [first])
        }
    }

    @Test func aCrashShows() async throws {
        let applications = FakeApplications()
        try await withRailway(applications: applications) { client in
            let id = try await client.deployed(try await client.place())
            try await client.wait(for: "SUCCESS", of: id)
            applications.crash(id)
            try await client.wait(for: "CRASHED", of: id)
            #expect(try await client.log("deploymentLogs", id).last == "The application ended with status 7.")
        }
    }

    @Test func withoutAHostEachDeploymentFailsAndSaysWhy() async throws {
        try await withRailway(applications: nil) { client in
            let id = try await client.deployed(try await client.place())
            try await client.wait(for: "FAILED", of: id)
            #expect(
                try await client.log("buildLogs", id)
                    == ["This sandbox runs no applications: it was started without a host for them."])
        }
    }

    @Test func aNewDeploymentTakesThePlaceOfOneUnderWay() async throws {
        let (hold, applications) = (Hold(), FakeApplications(hold: Hold()))
        defer { hold.release() }
        try await withRailway(applications: applications) { client in
            let place = try await client.place()
            let first = try await client.deployed(place)
            try await client.wait(for: "BUILDING", of: first)
            try await applications.hold?.arrivals(atLeast: 1)
            let second = try await client.deployed(place)
            try await client.wait(for: "REMOVED", of: first)
            applications.hold?.release()
            try await client.wait(for: "SUCCESS", of: second)
            #expect(applications.running == [second])
        }
    }

    @Test func cancellingAndRedeploying() async throws {
        let applications = FakeApplications()
        try await withRailway(applications: applications) { client in
            let place = try await client.place()
            let first = try await client.deployed(place)
            try await client.wait(for: "SUCCESS", of: first)
            #expect(
                try await client.firstError(
                    "mutation M($id: String!) { deploymentCancel(id: $id) }", ["id": .string(first)])
                    == "Deployment cannot be canceled")
            _ = try await client.data(
                "mutation M($id: String!) { deploymentRemove(id: $id) }", ["id": .string(first)])
            #expect(applications.running.isEmpty)
            let again = try await client.data(
                "mutation M($id: String!) { deploymentRedeploy(id: $id) { id } }", ["id": .string(first)])
            let second = try #require(again["deploymentRedeploy"]?["id"]?.stringValue)
            try await client.wait(for: "SUCCESS", of: second)
            #expect(applications.started.map(\.archive) == [Archive.application, Archive.application])
        }
    }

    @Test func refusesUploadsThatAreNone() async throws {
        try await withRailway(limits: RailwayLimits(uploadBytes: 1_000)) { client in
            let place = try await client.place()
            for bytes in [[], Array("hello".utf8), [UInt8](repeating: 0x1F, count: 50)] {
                let response = try await client.upload(place, bytes)
                #expect(response.status == .badRequest)
                #expect(try response.json == ["message": "Invalid archive: not in gzip format"])
            }
            #expect(try await client.upload(place, [UInt8](repeating: 0, count: 1_001)).status.code == 413)
            #expect(try await client.upload(place, service: "nobody").status == .notFound)
            var stranger = client
            stranger.token = nil
            let refused = try await stranger.upload(place)
            #expect(refused.status == .unauthorized)
            #expect(try refused.json == ["message": "Not Authorized"])
            #expect(try await client.state()["deployments"] == [])
            #expect(try await client.upload(place, service: "").status == .ok)
            #expect(try await client.state()["services"]?.arrayValue?.count == 2, "no service named: one is made")
        }
    }

    @Test func logsAreReadFromAMomentOn() async throws {
        try await withRailway(wallClock: ManualClock()) { client in
            let id = try await client.deployed(try await client.place())
            try await client.wait(for: "SUCCESS", of: id)
            let query = """
                query Q($id: String!, $from: DateTime) { deploymentLogs(deploymentId: $id, startDate: $from) { timestamp } }
                """
            let lines = try await client.data(query, ["id": .string(id)])["deploymentLogs"]?.arrayValue ?? []
            let last = try #require(lines.last?["timestamp"]?.stringValue)
            #expect(last.hasPrefix("2027-01-15T08:00:00.0000000"))
            #expect(
                try await client.data(query, ["id": .string(id), "from": .string(last)])["deploymentLogs"]?.arrayValue?
                    .count == 1)
            #expect(
                try await client.data(query, ["id": .string(id), "from": "2027-01-15T08:00:01Z"])["deploymentLogs"]
                    == [])
        }
    }
}
