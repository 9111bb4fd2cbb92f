import PluginKit
import PluginTestHost
import Testing

@testable import RailwayPlugin

@Suite(.timeLimit(.minutes(1))) struct LookupTests {
    private func look(_ command: String, _ input: JSON, on railway: FakeRailway) async throws -> FakeHost.Outcome {
        try await PluginCall.run("deploy.lookup", PluginCall.about(command, input), on: railway)
    }

    @Test func `nothing is found where nothing was made, and nothing is made by looking`() async throws {
        for (command, input) in [
            ("setup_database", PluginCall.database), ("deploy_application", PluginCall.deploy),
            ("setup_domain", PluginCall.domain),
        ] {
            let railway = FakeRailway()
            let outcome = try await look(command, input, on: railway)
            #expect(outcome.result == ["found": false, "result": .null])
            #expect(railway.names == ["Projects"])
        }
    }

    @Test func `a database is found with its URL`() async throws {
        let railway = FakeRailway()
        let made = try await PluginCall.run("deploy.provision_database", PluginCall.database, on: railway)
        let outcome = try await look("setup_database", PluginCall.database, on: railway)
        #expect(outcome.result == ["found": true, "result": made.result])
    }

    @Test func `a deployment is found by the key of its step`() async throws {
        let railway = FakeRailway()
        let made = try await PluginCall.run("deploy.deploy", PluginCall.deploy, on: railway)
        let outcome = try await look("deploy_application", PluginCall.deploy, on: railway)
        #expect(outcome.result == ["found": true, "result": made.result])
        let other = FakeRailway()
        _ = try await PluginCall.run("deploy.deploy", PluginCall.deploy, on: other, key: "another/8")
        #expect(try await look("deploy_application", PluginCall.deploy, on: other).result["found"] == false)
    }

    @Test(arguments: [["BUILDING"], ["BUILDING", "FAILED"]])
    func `what is not complete is not found`(course: [String]) async throws {
        let railway = FakeRailway()
        railway.course = course
        railway.stopsAt = "Deployment"
        _ = try await PluginCall.run("deploy.deploy", PluginCall.deploy, on: railway)
        _ = try await PluginCall.run("deploy.provision_database", PluginCall.database, on: railway)
        #expect(railway.deployments.count == 2)
        #expect(try await look("deploy_application", PluginCall.deploy, on: railway).result["found"] == false)
        #expect(try await look("setup_database", PluginCall.database, on: railway).result["found"] == false)
    }

    @Test func `a command that is none of this plugin's is refused`() async throws {
        let outcome = try await look("setup_monitoring", PluginCall.deploy, on: FakeRailway())
        #expect(outcome.status == AIB_E_INVALID && outcome.message.contains("deploy_application"))
    }
}

@Suite(.timeLimit(.minutes(1))) struct DeletionTests {
    private func delete(
        _ command: String, _ input: JSON, resource: JSON = .null, on railway: FakeRailway
    ) async throws -> FakeHost.Outcome {
        try await PluginCall.run(
            "deploy.delete", PluginCall.about(command, input, resource: resource), on: railway)
    }

    @Test func `everything goes, the project with its last service`() async throws {
        let railway = try await PluginCall.deployed()
        _ = try await PluginCall.run("deploy.setup_domain", PluginCall.domain, on: railway)
        #expect(try await delete("setup_domain", PluginCall.domain, on: railway).result == ["deleted": true])
        #expect(railway.customDomains.isEmpty && railway.services.count == 2)
        #expect(try await delete("deploy_application", PluginCall.deploy, on: railway).result == ["deleted": true])
        #expect(railway.services.map(\.name) == ["postgres"] && railway.projects.count == 1)
        #expect(try await delete("setup_database", PluginCall.database, on: railway).result == ["deleted": true])
        #expect(railway.projects.isEmpty)
    }

    @Test func `a database that is not the last takes its volume along`() async throws {
        let railway = try await PluginCall.deployed()
        #expect(try await delete("setup_database", PluginCall.database, on: railway).result == ["deleted": true])
        #expect(railway.volumes.isEmpty && railway.services.map(\.name) == ["app"] && railway.projects.count == 1)
    }

    @Test func `what is gone already is no error`() async throws {
        for (command, input) in [
            ("setup_database", PluginCall.database), ("deploy_application", PluginCall.deploy),
            ("setup_domain", PluginCall.domain),
        ] {
            let railway = FakeRailway()
            let outcome = try await delete(command, input, resource: ["project_id": "project-9"], on: railway)
            #expect(outcome.status == AIB_OK && outcome.result == ["deleted": false])
        }
        let railway = try await PluginCall.deployed()
        #expect(try await delete("setup_domain", PluginCall.domain, on: railway).result == ["deleted": false])
        #expect(railway.services.count == 2)
        railway.services.removeAll { $0.name == "postgres" }
        #expect(try await delete("setup_database", PluginCall.database, on: railway).result == ["deleted": false])
        #expect(railway.services.map(\.name) == ["app"])
    }

    @Test func `a deletion cut off is repeated without harm`() async throws {
        let railway = try await PluginCall.deployed()
        railway.losesAnswer = "ServiceDelete"
        let first = try await delete("deploy_application", PluginCall.deploy, on: railway)
        #expect(first.result["retryable"] == true)
        #expect(try await delete("deploy_application", PluginCall.deploy, on: railway).result == ["deleted": false])
        #expect(railway.projects.count == 1)
    }

    @Test func `a project that was made and never filled goes too`() async throws {
        let railway = FakeRailway()
        railway.losesAnswer = "ProjectCreate"
        _ = try await PluginCall.run("deploy.deploy", PluginCall.deploy, on: railway)
        #expect(railway.projects.count == 1)
        #expect(try await delete("deploy_application", PluginCall.deploy, on: railway).result == ["deleted": true])
        #expect(railway.projects.isEmpty)
    }

    @Test func `what somebody has renamed is found by the ids of the resource`() async throws {
        let railway = FakeRailway()
        let made = try await PluginCall.run("deploy.deploy", PluginCall.deploy, on: railway)
        railway.projects[0].name = "my invoices"
        railway.services[0].name = "web"
        railway.services.append(("service-x", "theirs", railway.projects[0].id))
        let resource = try #require(made.result["resource"])
        #expect(try await delete("deploy_application", PluginCall.deploy, on: railway).result == ["deleted": false])
        let outcome = try await delete("deploy_application", PluginCall.deploy, resource: resource, on: railway)
        #expect(outcome.result == ["deleted": true])
        #expect(railway.services.map(\.name) == ["theirs"] && railway.projects.count == 1)
    }

    @Test func `nobody else's project is touched, on whatever page it is`() async throws {
        let railway = FakeRailway()
        railway.projects = (0..<5).map { ("other-\($0)", "other-\($0)", "production") }
        railway.projects.append(("mine", PluginCall.projectName, "production"))
        railway.services = [("service-1", "app", "mine"), ("service-2", "app", "other-1")]
        let outcome = try await delete("deploy_application", PluginCall.deploy, on: railway)
        #expect(outcome.result == ["deleted": true])
        #expect(railway.projects.count == 5 && railway.services.map(\.id) == ["service-2"])
        #expect(railway.count("Projects") == 3)
    }

    @Test func `of a project that was made twice both go`() async throws {
        let railway = FakeRailway()
        railway.projects = [("a", PluginCall.projectName, "production"), ("b", PluginCall.projectName, "production")]
        #expect(try await delete("deploy_application", PluginCall.deploy, on: railway).result == ["deleted": true])
        #expect(railway.projects.isEmpty)
    }
}
