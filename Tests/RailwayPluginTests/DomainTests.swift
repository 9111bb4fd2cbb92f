import PluginKit
import PluginTestHost
import Testing

@testable import RailwayPlugin

@Suite(.timeLimit(.minutes(1))) struct DomainTests {
    private func setUp(_ railway: FakeRailway) async throws -> FakeHost.Outcome {
        try await PluginCall.run("deploy.setup_domain", PluginCall.domain, on: railway)
    }

    @Test func `adds a domain and says which records it needs`() async throws {
        let railway = try await PluginCall.deployed()
        let outcome = try await setUp(railway)
        #expect(outcome.status == AIB_OK)
        #expect(outcome.result["domain"] == "app.example.com")
        #expect(outcome.result["status"] == "pending_dns")
        #expect(
            outcome.result["records"] == [
                ["type": "CNAME", "name": "app.example.com", "value": "x1.up.railway.app"],
                ["type": "TXT", "name": "_railway-verify.app.example.com", "value": "railway-verify=t0k"],
            ])
        #expect(outcome.result["resource"]?["domain_id"] == .string(railway.customDomains[0].id))
        #expect(railway.first("CustomDomainCreate")?.variables["input"]?["domain"] == "app.example.com")
    }

    @Test func `a second call finds the domain`() async throws {
        let railway = try await PluginCall.deployed()
        railway.losesAnswer = "CustomDomainCreate"
        #expect(try await setUp(railway).result["retryable"] == true)
        #expect(try await setUp(railway).status == AIB_OK)
        #expect(railway.customDomains.count == 1)
    }

    @Test(arguments: [
        (false, "DNS_RECORD_STATUS_PROPAGATED", "CERTIFICATE_STATUS_TYPE_ISSUING", "pending_dns"),
        (true, "DNS_RECORD_STATUS_REQUIRES_UPDATE", "CERTIFICATE_STATUS_TYPE_ISSUING", "pending_dns"),
        (true, "DNS_RECORD_STATUS_PROPAGATED", "CERTIFICATE_STATUS_TYPE_ISSUING", "active"),
        (true, "DNS_RECORD_STATUS_REQUIRES_UPDATE", "CERTIFICATE_STATUS_TYPE_VALID", "active"),
    ])
    func `the lookup has the status as it is now`(
        verified: Bool, record: String, certificate: String, status: String
    ) async throws {
        let railway = try await PluginCall.deployed()
        _ = try await setUp(railway)
        railway.customDomains[0].status = FakeRailway.status(
            verified: verified, record: record, certificate: certificate)
        let lookup = PluginCall.about("setup_domain", PluginCall.domain)
        let outcome = try await PluginCall.run("deploy.lookup", lookup, on: railway)
        #expect(outcome.result["found"] == true)
        #expect(outcome.result["result"]?["status"] == .string(status))
    }

    @Test func `the name of every record is given in full`() async throws {
        let railway = try await PluginCall.deployed()
        _ = try await setUp(railway)
        railway.customDomains[0].status = FakeRailway.status(
            verified: false, record: "DNS_RECORD_STATUS_REQUIRES_UPDATE", host: "_railway-verify.app")
        let names = try await setUp(railway).result["records"]?.arrayValue?.map { $0["name"] }
        #expect(names == ["app.example.com", "_railway-verify.app.example.com"])
    }

    @Test func `a domain of somebody else is the caller's mistake`() async throws {
        let railway = try await PluginCall.deployed()
        railway.takenDomains = ["app.example.com"]
        let outcome = try await setUp(railway)
        #expect(outcome.status == AIB_E_INVALID)
        #expect(outcome.message.contains("app.example.com") && outcome.message.contains("Domain is taken"))
        #expect(railway.count("CustomDomainCreate") == 0)
    }

    @Test func `so is one that somebody took in between`() async throws {
        let railway = try await PluginCall.deployed()
        railway.intervene = { request in
            request.name == "CustomDomainCreate" ? FakeRailway.error("This domain is already in use") : nil
        }
        let outcome = try await setUp(railway)
        #expect(outcome.status == AIB_E_INVALID && outcome.result["retryable"] == false)
    }

    @Test func `without an application there is nothing to give a domain`() async throws {
        let outcome = try await setUp(FakeRailway())
        #expect(outcome.status == AIB_E_INVALID)
        #expect(outcome.message.contains(PluginCall.projectName))
    }

    @Test(arguments: ["localhost", "a..b", "-a.example.com", "app.example.com/x", "", "äpp.example.com"])
    func `what is no domain is refused before anything is asked`(domain: String) async throws {
        let railway = FakeRailway()
        let input: JSON = ["application": PluginCall.application, "parameters": ["domain": .string(domain)]]
        let outcome = try await PluginCall.run("deploy.setup_domain", input, on: railway)
        #expect(outcome.status == AIB_E_INVALID && railway.requests.isEmpty)
    }
}
