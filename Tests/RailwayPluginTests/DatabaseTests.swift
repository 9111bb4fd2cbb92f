import PluginKit
import PluginTestHost
import Testing

@testable import RailwayPlugin

@Suite(.timeLimit(.minutes(1))) struct DatabaseTests {
    private func provision(_ railway: FakeRailway) async throws -> FakeHost.Outcome {
        try await PluginCall.run("deploy.provision_database", PluginCall.database, on: railway)
    }

    @Test func `makes a database and answers the URL that reaches it from outside`() async throws {
        let railway = FakeRailway()
        let outcome = try await provision(railway)
        #expect(outcome.status == AIB_OK)
        #expect(outcome.result["engine"] == "postgresql")
        let set = try #require(railway.first("VariableCollectionUpsert")?.variables["input"])
        let password = try #require(set["variables"]?["POSTGRES_PASSWORD"]?.stringValue)
        #expect(password.utf8.count == 32 && set["skipDeploys"] == true)
        #expect(
            outcome.result["secrets"]?["database_url"]?.stringValue
                == "postgresql://postgres:\(password)@roundhouse.proxy.rlwy.net:11105/railway")
        #expect(outcome.result["resource"]?["project_id"] == .string(railway.projects[0].id))
        #expect(outcome.result["resource"]?.text.contains(password) == false)
        #expect(railway.projects[0].name == PluginCall.projectName)
        #expect(
            railway.first("ServiceInstanceUpdate")?.variables["input"]
                == ["source": ["image": "ghcr.io/railwayapp-templates/postgres-ssl:16"]])
        // The proxy of a service takes effect with the next deployment, so it comes before the only one.
        let order = railway.names
        let proxy = try #require(order.firstIndex(of: "TcpProxyCreate"))
        let deploy = try #require(order.firstIndex(of: "ServiceInstanceDeploy"))
        #expect(proxy < deploy && railway.count("ServiceInstanceDeploy") == 1)
        #expect(railway.requests.allSatisfy { !$0.sent.fillsSecrets })
    }

    @Test func `two databases have two passwords`() async throws {
        let (first, second) = (FakeRailway(), FakeRailway())
        let urls = [try await provision(first), try await provision(second)].map { $0.result["secrets"] }
        #expect(urls[0] != urls[1])
    }

    @Test func `a second call answers the same and makes nothing`() async throws {
        let railway = FakeRailway()
        let first = try await provision(railway)
        let before = railway.requests.count
        let second = try await provision(railway)
        #expect(second.result == first.result)
        #expect(railway.names.dropFirst(before).allSatisfy { !$0.hasSuffix("Create") && $0 != "ServiceInstanceDeploy" })
    }

    @Test(arguments: [
        "ProjectCreate", "ServiceCreate", "VolumeCreate", "TcpProxyCreate", "VariableCollectionUpsert",
        "ServiceInstanceDeploy",
    ])
    func `a call cut off after a creation makes nothing twice when it is repeated`(name: String) async throws {
        let railway = FakeRailway()
        railway.losesAnswer = name
        let first = try await provision(railway)
        #expect(first.status == AIB_E_UPSTREAM && first.result["retryable"] == true)
        let second = try await provision(railway)
        #expect(second.status == AIB_OK)
        #expect(railway.projects.count == 1 && railway.services.count == 1)
        #expect(railway.volumes.count == 1 && railway.proxies.count == 1 && railway.deployments.count == 1)
        #expect(railway.count("VariableCollectionUpsert") == 1)
    }

    @Test func `waits until the proxy is set up`() async throws {
        let railway = FakeRailway()
        let outcome = try await provision(railway)
        #expect(outcome.pauses.allSatisfy { $0 == 20 })
        #expect(railway.names.suffix(3).allSatisfy { $0 == "TcpProxies" })
    }

    @Test func `deploys again where the last deployment has failed`() async throws {
        let railway = FakeRailway()
        railway.course = ["CRASHED"]
        #expect(try await provision(railway).status == AIB_E_UPSTREAM)
        railway.course = ["SUCCESS"]
        #expect(try await provision(railway).status == AIB_OK)
        #expect(railway.deployments.count == 2 && railway.volumes.count == 1)
    }

    @Test func `the password is in no error and no log line`() async throws {
        let railway = FakeRailway()
        railway.course = ["CRASHED"]
        railway.intervene = { [unowned railway] request in
            guard request.name == "DeploymentLogs" else { return nil }
            let password = railway.variables.values.first?["POSTGRES_PASSWORD"]?.stringValue ?? "?"
            return FakeRailway.data(
                "deploymentLogs", [["timestamp": "2026-11-23T10:00:00Z", "message": .string("password=\(password)!")]])
        }
        let outcome = try await provision(railway)
        #expect(outcome.message.contains("password=***!"))
        #expect(outcome.logs == ["deploy: password=***!"])
    }

    @Test func `a refusal of the variables does not repeat them`() async throws {
        let railway = FakeRailway()
        railway.intervene = { request in
            guard request.name == "VariableCollectionUpsert" else { return nil }
            return FakeRailway.error("Variable \"$input\" got invalid value \(request.variables.text)")
        }
        let outcome = try await provision(railway)
        #expect(outcome.status == AIB_E_UPSTREAM)
        #expect(outcome.message == "Railway refused VariableCollectionUpsert")
    }

    /// Else a server that keeps its password would be given another one.
    @Test(arguments: ["null", "[]", #""x""#, #"{"POSTGRES_PASSWORD":7}"#, #"{"POSTGRES_PASSWORD":""}"#])
    func `variables that cannot be read are not replaced`(variables: String) async throws {
        let railway = FakeRailway()
        railway.intervene = { request in
            request.name == "Variables" ? FakeHost.Answer(body: #"{"data":{"variables":\#(variables)}}"#) : nil
        }
        let outcome = try await provision(railway)
        #expect(outcome.status == AIB_E_UPSTREAM)
        #expect(railway.count("VariableCollectionUpsert") == 0 && railway.deployments.isEmpty)
    }

    @Test func `a password that somebody has changed is escaped in the URL`() async throws {
        let railway = FakeRailway()
        _ = try await provision(railway)
        let service = railway.services[0].id
        railway.variables[service]?["POSTGRES_PASSWORD"] = "p@ss/w:rd"
        let outcome = try await provision(railway)
        #expect(
            outcome.result["secrets"]?["database_url"]
                == "postgresql://postgres:p%40ss%2Fw%3Ard@roundhouse.proxy.rlwy.net:11105/railway")
    }
}
