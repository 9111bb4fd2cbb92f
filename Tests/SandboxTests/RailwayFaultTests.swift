import Domain
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import Sandbox

@Suite(.timeLimit(.minutes(1))) struct RailwayFaultTests {
    private func fault(_ members: JSON, _ client: RailwayClient) async throws -> JSON {
        var fault = members.objectValue ?? JSONObject()
        fault["provider"] = "railway"
        let response = try await client.sandbox.call(.post, "/faults", .object(fault))
        #expect(response.status == .created, "\(response.text)")
        return try response.json
    }

    @Test func callsMeetStatusesAndBrokenAnswers() async throws {
        try await withRailway { client in
            _ = try await fault(["kind": "status", "status": 429, "retry_after": "7"], client)
            _ = try await fault(["kind": "status", "status": 500, "match": "projects"], client)
            _ = try await fault(["kind": "invalid_json", "match": "me"], client)
            let limited = try await client.send("{ me { id } }")
            #expect(limited.status == .tooManyRequests)
            #expect(limited.header("retry-after") == "7")
            await #expect(throws: JSONError.self) { try await client.send("{ me { id } }").json }
            #expect(try await client.send("{ me { id } }").status == .ok)
            #expect(try await client.send("{ projects { edges { cursor } } }").status == .internalServerError)
            _ = try await fault(["kind": "cut"], client)
            await #expect(throws: (any Error).self) { try await client.send("{ me { id } }") }
        }
    }

    @Test func aFaultMayBeForOneProjectAlone() async throws {
        try await withRailway { client in
            _ = try await fault(["kind": "status", "status": 503, "match": "projectCreate torn"], client)
            let create = "mutation M($input: ProjectCreateInput!) { projectCreate(input: $input) { id } }"
            let good = try await client.data(create, ["input": ["name": "whole"]])
            let id = try #require(good["projectCreate"]?["id"])
            #expect(try await client.send(create, ["input": ["name": "torn"]]).status == .serviceUnavailable)
            _ = try await client.data(create, ["input": ["name": "torn"]])
            let look = "query Q($id: String!) { project(id: $id) { name } }"
            _ = try await fault(["kind": "status", "status": 503, "match": "project whole", "times": 2], client)
            #expect(try await client.send(look, ["id": id]).status == .serviceUnavailable)
        }
    }

    @Test func aLostResponseComesAfterTheEffect() async throws {
        try await withRailway { client in
            _ = try await fault(["kind": "lost_response", "match": "projectCreate"], client)
            await #expect(throws: (any Error).self) {
                try await client.send("mutation { projectCreate(input: {name: \"once\"}) { id } }")
            }
            #expect(try await client.state()["projects"]?.arrayValue?.map { $0["name"] } == ["once"])
            #expect(try await client.sandbox.ledger().last?["state"] == "cut_by_sandbox")
        }
    }

    @Test func deploymentsFailAsTold() async throws {
        let applications = FakeApplications()
        try await withRailway(applications: applications) { client in
            let place = try await client.place()
            for (kind, status) in [
                ("build_failed", "FAILED"), ("unhealthy", "FAILED"), ("crash", "CRASHED"), ("unreachable", "SUCCESS"),
            ] {
                _ = try await fault(["kind": .string(kind), "match": "shop/app"], client)
                let id = try await client.deployed(place)
                try await client.wait(for: status, of: id)
                #expect(applications.running.isEmpty)
                let logs = try await client.log(kind == "build_failed" ? "buildLogs" : "deploymentLogs", id)
                #expect(logs.contains { $0.contains("a fault of the sandbox") }, "\(logs)")
            }
            _ = try await fault(["kind": "build_failed", "match": "another"], client)
            try await client.wait(for: "SUCCESS", of: try await client.deployed(place))
        }
    }

    @Test func aBuildHangsUntilItsFaultIsDeleted() async throws {
        try await withRailway { client in
            let place = try await client.place()
            let id = try await fault(["kind": "build_hangs"], client)["id"]?.integerValue ?? 0
            let first = try await client.deployed(place)
            try await client.wait(for: "BUILDING", of: first)
            while try await client.sandbox.call(.get, "/faults").json["faults"]?.arrayValue?.first?["stalled"] == [] {}
            try await client.wait(for: "BUILDING", of: first)
            #expect(try await client.sandbox.call(.delete, "/faults/\(id)").status == .noContent)
            try await client.wait(for: "SUCCESS", of: first)
            _ = try await fault(["kind": "build_hangs"], client)
            let second = try await client.deployed(place)
            try await client.wait(for: "BUILDING", of: second)
            _ = try await client.data(
                "mutation M($id: String!) { deploymentCancel(id: $id) }", ["id": .string(second)])
            try await client.wait(for: "REMOVED", of: second)
        }
    }

    @Test func aDomainBelongsToSomebodyElse() async throws {
        try await withRailway { client in
            let place = try await client.place()
            _ = try await fault(["kind": "domain_conflict", "match": "app.example.com"], client)
            let create = """
                mutation M($p: String!, $e: String!, $s: String!) {
                  customDomainCreate(
                    input: {projectId: $p, environmentId: $e, serviceId: $s, domain: "app.example.com"}
                  ) { id }
                }
                """
            #expect(try await client.firstError(create, place.variables) == "Domain is already in use")
            #expect(try await client.firstError(create, place.variables) == nil)
        }
    }

    @Test func refusesFaultsThatDoNotExistHere() async throws {
        try await withRailway { client in
            let wrong: [JSON] = [
                ["provider": "railway", "kind": "overloaded_in_stream"], ["provider": "anthropic", "kind": "crash"],
                ["provider": "railway", "kind": "crash", "after_events": 1],
            ]
            for fault in wrong {
                let response = try await client.sandbox.call(.post, "/faults", fault)
                #expect(response.status == .badRequest)
            }
        }
    }
}

@Suite struct GzipTarTests {
    @Test func knowsAnArchiveByItsFirstHeader() {
        #expect(GzipTar.problem(Archive.application) == nil)
        #expect(GzipTar.problem([]) == "not in gzip format")
        #expect(GzipTar.problem(Array(Archive.application.dropFirst())) == "not in gzip format")
        #expect(GzipTar.problem(Array(Archive.application.prefix(40))) == "not a gzipped tar archive")
        #expect(GzipTar.problem(Self.stored([UInt8](repeating: 0, count: 1_024))) == "the archive is empty")
        #expect(GzipTar.problem(Self.stored([UInt8](repeating: 65, count: 1_024))) == "not a gzipped tar archive")
        #expect(GzipTar.problem(Self.stored([65])) == "not a gzipped tar archive")
    }

    @Test func noBytesMakeItFail() {
        var random = SplitMix(state: 7)
        for _ in 0..<2_000 {
            var bytes = Archive.application
            for _ in 0..<4 {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            _ = GzipTar.problem(bytes)
        }
    }

    /// gzip without compression; nobody looks at its checksum.
    private static func stored(_ bytes: [UInt8]) -> [UInt8] {
        let (low, high) = (UInt8(bytes.count & 255), UInt8(bytes.count >> 8))
        return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1, low, high, ~low, ~high] + bytes
            + [UInt8](repeating: 0, count: 8)
    }

    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
