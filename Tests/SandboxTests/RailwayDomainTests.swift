import Domain
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@testable import Sandbox

@Suite(.timeLimit(.minutes(1))) struct RailwayDomainTests {
    private static let create = """
        mutation M($p: String!, $e: String!, $s: String!, $d: String!) {
          customDomainCreate(input: {projectId: $p, environmentId: $e, serviceId: $s, domain: $d}) {
            id domain
            status { verified certificateStatus dnsRecords { recordType hostlabel fqdn requiredValue status } }
          }
        }
        """

    private func variables(_ place: RailwayClient.Place, _ domain: String) -> JSON {
        var variables = place.variables.objectValue ?? JSONObject()
        variables["d"] = .string(domain)
        return .object(variables)
    }

    @Test func aCustomDomainWaitsForItsRecords() async throws {
        try await withRailway { client in
            let place = try await client.place()
            let made = try await client.data(Self.create, variables(place, "app.Example.com"))["customDomainCreate"]
            #expect(made?["domain"] == "app.example.com")
            #expect(made?["status"]?["verified"] == false)
            let record = made?["status"]?["dnsRecords"]?.arrayValue?.first
            #expect(record?["recordType"] == "DNS_RECORD_TYPE_CNAME")
            #expect(record?["hostlabel"] == "app")
            #expect(record?["requiredValue"]?.stringValue?.hasSuffix(".up.railway.app") == true)
            #expect(record?["status"] == "DNS_RECORD_STATUS_REQUIRES_UPDATE")
            #expect(
                try await client.firstError(Self.create, variables(place, "app.example.com"))
                    == "Domain is already in use")
            let available = "query Q($d: String!) { customDomainAvailable(domain: $d) { available } }"
            #expect(
                try await client.data(available, ["d": "app.example.com"])
                    == ["customDomainAvailable": ["available": false]])
            #expect(try await client.firstError(Self.create, variables(place, "no domain")) == "Invalid domain")

            let verify = "/railway/domains/app.example.com/verify"
            #expect(try await client.sandbox.call(.post, verify).status == .noContent)
            #expect(try await client.sandbox.call(.post, "/railway/domains/x.example/verify").status == .notFound)
            let status = try await client.data(
                """
                query Q($p: String!, $e: String!, $s: String!) {
                  domains(projectId: $p, environmentId: $e, serviceId: $s) {
                    customDomains { status { verified certificateStatus dnsRecords { status } } }
                  }
                }
                """, place.variables)["domains"]?["customDomains"]?.arrayValue?.first?["status"]
            #expect(
                status == [
                    "verified": true, "certificateStatus": "CERTIFICATE_STATUS_TYPE_VALID",
                    "dnsRecords": [["status": "DNS_RECORD_STATUS_PROPAGATED"]],
                ])
            let id = try #require(made?["id"])
            _ = try await client.data("mutation M($id: String!) { customDomainDelete(id: $id) }", ["id": id])
            #expect(try await client.state()["custom_domains"] == [])
        }
    }

    @Test func aDatabaseHasTheClientsNamesBehindItsProxy() async throws {
        let applications = FakeApplications()
        try await withRailway(applications: applications) { client in
            let place = try await client.place(service: "postgres")
            let target: JSON = ["e": .string(place.environment), "s": .string(place.service)]
            let proxy = try await client.data(
                """
                mutation M($e: String!, $s: String!) {
                  tcpProxyCreate(input: {environmentId: $e, serviceId: $s, applicationPort: 5432}) {
                    domain proxyPort syncStatus
                  }
                }
                """, target)["tcpProxyCreate"]
            #expect(proxy?["domain"] == "127.0.0.1")
            #expect(proxy?["syncStatus"] == "ACTIVE")
            let deploy = """
                mutation M($e: String!, $s: String!) { serviceInstanceDeployV2(environmentId: $e, serviceId: $s) }
                """
            #expect(try await client.firstError(deploy, target) == "Service has no source to deploy")
            _ = try await client.data(
                """
                mutation M($e: String!, $s: String!) {
                  serviceInstanceUpdate(environmentId: $e, serviceId: $s, input: {
                    source: {image: "ghcr.io/railwayapp-templates/postgres-ssl:16"}
                  })
                }
                """, target)
            let without = try await client.data(deploy, target)["serviceInstanceDeployV2"]?.stringValue ?? ""
            try await client.wait(for: "FAILED", of: without)
            #expect(try await client.log("deploymentLogs", without).last?.contains("POSTGRES_PASSWORD") == true)
            try await client.set(
                ["POSTGRES_USER": "shop", "POSTGRES_PASSWORD": "p\"w", "POSTGRES_DB": "store"], place)
            let id = try await client.data(deploy, target)["serviceInstanceDeployV2"]?.stringValue ?? ""
            try await client.wait(for: "SUCCESS", of: id)
            #expect(Array(applications.databases.values) == ["p\"w"])
            let name = try #require(applications.databases.keys.first)
            #expect(name.wholeMatch(of: /railway_[0-9a-f]{32}/) != nil)
            let state = try await client.state()
            #expect(state["databases"]?.arrayValue?.first?["name"] == .string(name))
            #expect(!state.text.contains("p\\\"w"))
            _ = try await client.data("mutation M($s: String!) { serviceDelete(id: $s) }", ["s": target["s"] ?? .null])
            #expect(applications.databases.isEmpty)
            #expect(try await client.state()["tcp_proxies"] == [])
        }
    }

    @Test func aStartupPacketIsRewrittenForTheClientsOwnNamesOnly() throws {
        let database = PlatformDatabase(host: "127.0.0.1", port: 1, name: "railway_1", user: "role_1", password: "p")
        let route = DatabaseProxy.Route(user: "shop", database: "store", target: database)
        func packet(_ code: Int32, _ names: [String]) -> ByteBuffer {
            var body = ByteBuffer(integer: code)
            for name in names { body.writeNullTerminatedString(name) }
            body.writeInteger(UInt8(0))
            var packet = ByteBuffer(integer: Int32(body.readableBytes + 4))
            packet.writeBuffer(&body)
            return packet
        }
        var good = packet(196_608, ["user", "shop", "database", "store", "client_encoding", "UTF8"])
        good.writeString("rest")
        let read = try #require(try StartupPacket(from: &good))
        #expect(!read.wantsEncryption)
        #expect(String(buffer: good) == "rest")
        #expect(
            try read.rewritten(for: route)
                == packet(196_608, ["client_encoding", "UTF8", "user", "role_1", "database", "railway_1"]))
        for names in [["user", "other", "database", "store"], ["user", "shop", "database", "x"], ["user", "shop"]] {
            var bad = packet(196_608, names)
            #expect(throws: StartupRefusal.self) { try StartupPacket(from: &bad)?.rewritten(for: route) }
        }
        var encryption = ByteBuffer(integer: Int32(8))
        encryption.writeInteger(Int32(80_877_103))
        #expect(try StartupPacket(from: &encryption)?.wantsEncryption == true)
        var short = ByteBuffer(integer: Int32(100))
        #expect(try StartupPacket(from: &short) == nil)
        var huge = ByteBuffer(integer: Int32(10_001))
        #expect(throws: StartupRefusal.self) { try StartupPacket(from: &huge) }
    }
}
