import PluginKit
import PluginTestHost
import Testing

@testable import RailwayPlugin

@Suite(.timeLimit(.minutes(1))) struct DeployTests {
    private func deploy(
        _ railway: FakeRailway, _ input: JSON = PluginCall.deploy, baseURL: String = "https://backboard.railway.com"
    ) async throws -> FakeHost.Outcome {
        try await PluginCall.run("deploy.deploy", input, on: railway, baseURL: baseURL)
    }

    @Test func `uploads the source and answers when it runs`() async throws {
        let railway = FakeRailway()
        let outcome = try await deploy(railway)
        #expect(outcome.status == AIB_OK)
        #expect(outcome.result["app_url"] == "https://app-production.up.railway.app")
        #expect(outcome.result["status"] == "SUCCESS")
        #expect(outcome.result["deployment_id"] == .string(railway.deployments[0].id))
        #expect(outcome.pauses == [20, 20, 20])
        let upload = try #require(railway.first("upload")?.sent)
        let project = railway.projects[0].id
        #expect(
            upload.url == "https://backboard.railway.com/project/\(project)/environment/env-\(project)/up"
                + "?serviceId=\(railway.services[0].id)&message=0192f0c1-7a3b-7c4d-8e5f-0123456789ab%2F8")
        #expect(upload.blob == PluginCall.digest && upload.text.isEmpty && upload.method == "POST")
        #expect(upload.headers["authorization"] == "Bearer {{secret:RAILWAY_TOKEN}}")
        #expect(upload.timeoutMilliseconds == 0, "an upload takes as long as the call may")
        let update = railway.first("ServiceInstanceUpdate")?.variables["input"]
        #expect(update == ["startCommand": "node server.js", "healthcheckPath": "/health"])
        let order = railway.names
        let domain = try #require(order.firstIndex(of: "ServiceDomainCreate"))
        #expect(domain < (order.firstIndex(of: "upload") ?? 0))
    }

    @Test func `secrets are filled into the variables' body alone`() async throws {
        let railway = FakeRailway()
        _ = try await deploy(railway)
        let mark = "{{secret:\(PluginCall.databaseSecret)}}"
        for request in railway.requests {
            let isVariables = request.name == "VariableCollectionUpsert"
            #expect(request.sent.fillsSecrets == isVariables)
            #expect(request.sent.text.contains(mark) == isVariables)
            #expect(!request.sent.url.contains("secret"))
            #expect(request.sent.headers.values.allSatisfy { !$0.contains(mark) })
        }
        let values = railway.first("VariableCollectionUpsert")?.variables["input"]?["variables"]
        #expect(values == ["DATABASE_URL": .string(mark), "ADMIN_EMAIL": "ada@example.com"])
    }

    @Test func `a second call finds the deployment that runs`() async throws {
        let railway = FakeRailway()
        let first = try await deploy(railway)
        let second = try await deploy(railway)
        #expect(second.result == first.result)
        #expect(railway.count("upload") == 1 && railway.count("ServiceDomainCreate") == 1)
    }

    @Test(arguments: ["ProjectCreate", "ServiceCreate", "ServiceDomainCreate", "VariableCollectionUpsert", "upload"])
    func `a call cut off after a creation makes nothing twice when it is repeated`(name: String) async throws {
        let railway = FakeRailway()
        railway.losesAnswer = name
        #expect(try await deploy(railway).result["retryable"] == true)
        #expect(try await deploy(railway).status == AIB_OK)
        #expect(railway.projects.count == 1 && railway.services.count == 1 && railway.deployments.count == 1)
        #expect(railway.count("ServiceDomainCreate") == 1)
    }

    @Test func `a cancelled call ends, and the next goes on with its deployment`() async throws {
        let railway = FakeRailway()
        railway.stopsAt = "Deployment"
        #expect(try await deploy(railway).status == AIB_E_CANCELLED)
        railway.stopsAt = nil
        #expect(try await deploy(railway).status == AIB_OK)
        #expect(railway.count("upload") == 1)
    }

    @Test func `a deployment that has failed is not gone on with`() async throws {
        let railway = FakeRailway()
        railway.course = ["FAILED"]
        #expect(try await deploy(railway).status == AIB_E_UPSTREAM)
        railway.course = ["SUCCESS"]
        #expect(try await deploy(railway).result["deployment_id"] == .string(railway.deployments[1].id))
        #expect(railway.count("upload") == 2)
    }

    @Test func `another step's deployment is not taken for this one's`() async throws {
        let railway = FakeRailway()
        _ = try await deploy(railway)
        let other = try await PluginCall.run("deploy.deploy", PluginCall.deploy, on: railway, key: "x/9")
        #expect(other.status == AIB_OK && railway.count("upload") == 2 && railway.services.count == 1)
    }

    @Test func `the address has the scheme of the API`() async throws {
        let railway = FakeRailway()
        railway.intervene = { request in
            guard request.name == "ServiceDomainCreate" else { return nil }
            return FakeRailway.data("serviceDomainCreate", ["id": "d", "domain": "127.0.0.1:4321", "deletedAt": .null])
        }
        let outcome = try await deploy(railway, baseURL: "http://127.0.0.1:8089/")
        #expect(outcome.result["app_url"] == "http://127.0.0.1:4321")
        #expect(railway.requests[0].sent.url == "http://127.0.0.1:8089/graphql/v2")
    }

    @Test func `a start command that is null is left to Railway`() async throws {
        let railway = FakeRailway()
        var input = try #require(PluginCall.deploy.objectValue)
        input["start_command"] = .null
        _ = try await deploy(railway, .object(input))
        #expect(railway.first("ServiceInstanceUpdate")?.variables["input"] == ["healthcheckPath": "/health"])
    }

    @Test func `log lines arrive once each, over all looks`() async throws {
        let railway = FakeRailway()
        func line(_ second: String, _ message: String) -> JSON {
            ["timestamp": .string("2026-11-23T10:00:\(second)Z"), "message": .string(message)]
        }
        railway.course = ["BUILDING", "BUILDING", "DEPLOYING", "DEPLOYING", "SUCCESS"]
        railway.buildLog = [[line("00.1", "a")], [line("00.12", "b")], [line("00.12", "b"), line("00.12", "c\nd\n")]]
        railway.deployLog = [[], [line("05", "up")], [line("06.5", "up")]]
        let outcome = try await deploy(railway)
        #expect(
            outcome.logs == [
                "build: a", "build: b", "build: b", "build: c", "build: d", "deploy: up", "deploy: up",
            ])
    }

    @Test(arguments: ["FAILED", "CRASHED", "REMOVED", "SKIPPED"])
    func `a deployment that fails says how, with its last lines`(status: String) async throws {
        let railway = FakeRailway()
        railway.course = ["BUILDING", status]
        railway.buildLog = [
            (0..<100).map { number -> JSON in
                [
                    "timestamp": .string("2026-11-23T10:00:00.\(1_000 + number)Z"),
                    "message": .string("line \(number) " + String(repeating: "x", count: 1_000)),
                ]
            }
        ]
        let outcome = try await deploy(railway)
        #expect(outcome.status == AIB_E_UPSTREAM && outcome.result["retryable"] == false)
        #expect(outcome.message.contains(status) && outcome.message.contains("line 99 "))
        #expect(!outcome.message.contains("line 79 "))
        #expect(outcome.message.utf8.count < 5_000)
        #expect(outcome.logs.count == 100)
    }

    @Test func `a deployment that waits for an approval is an error that says so`() async throws {
        let railway = FakeRailway()
        railway.course = ["NEEDS_APPROVAL"]
        let outcome = try await deploy(railway)
        #expect(outcome.status == AIB_E_UPSTREAM && outcome.result["retryable"] == false)
        #expect(outcome.message.contains("approv"))
    }

    @Test func `a deployment that is asleep is up, and an unknown status is waited through`() async throws {
        let railway = FakeRailway()
        railway.course = ["HIBERNATING", "SLEEPING"]
        #expect(try await deploy(railway).result["status"] == "SLEEPING")
    }

    @Test func `a look that fails does not end the waiting, one failure after the other does`() async throws {
        let railway = FakeRailway()
        var failures = 3
        railway.intervene = { request in
            guard request.name == "Deployment", failures > 0 else { return nil }
            failures -= 1
            guard failures == 0 else { return FakeRailway.error("Deployment not found") }
            return FakeHost.Answer(status: 429, headers: [["retry-after", "2"]])
        }
        let outcome = try await deploy(railway)
        #expect(outcome.status == AIB_OK && outcome.pauses.prefix(3) == [20, 20, 2_000])
        let other = FakeRailway()
        other.intervene = { $0.name == "Deployment" ? FakeHost.Answer(status: 503) : nil }
        let failed = try await deploy(other)
        #expect(failed.status == AIB_E_UPSTREAM && failed.result["retryable"] == true)
        #expect(other.count("Deployment") == 4)
    }

    @Test func `a log that cannot be read is no failure of the deployment`() async throws {
        let railway = FakeRailway()
        railway.intervene = { $0.name.hasSuffix("Logs") ? FakeRailway.error("Problem processing request") : nil }
        let outcome = try await deploy(railway)
        #expect(outcome.status == AIB_OK && outcome.logs.isEmpty)
    }

    @Test(arguments: [
        (400, #"{"message":"no Dockerfile found"}"#, Int(AIB_E_INVALID), "no Dockerfile found"),
        (413, "Payload Too Large", Int(AIB_E_LIMIT), "too large for Railway: Payload Too Large"),
        (401, "", Int(AIB_E_DENIED), "RAILWAY_TOKEN"),
        (200, "<html>", Int(AIB_E_UPSTREAM), "not JSON"),
        (200, "{}", Int(AIB_E_UPSTREAM), "upload.deploymentId is null"),
        (200, #"{"deploymentId":"../x"}"#, Int(AIB_E_UPSTREAM), "upload.deploymentId"),
    ])
    func `an upload that is refused says why`(status: Int, body: String, code: Int, words: String) async throws {
        let railway = FakeRailway()
        railway.intervene = { request in
            request.name == "upload" ? FakeHost.Answer(status: Int64(status), body: body) : nil
        }
        let outcome = try await deploy(railway)
        #expect(outcome.status == code)
        #expect(outcome.message.contains(words))
    }
}
