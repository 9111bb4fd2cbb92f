import PluginKit
import PluginTestHost
import Testing

@testable import RailwayPlugin

@Suite(.timeLimit(.minutes(1))) struct FailureTests {
    private static func deploy(_ railway: FakeRailway, workspace: String? = nil) async throws -> FakeHost.Outcome {
        try await PluginCall.run("deploy.deploy", PluginCall.deploy, on: railway, workspace: workspace)
    }

    @Test(arguments: [
        ("Not Authorized", Int(AIB_E_DENIED), false), ("Project Token not found", Int(AIB_E_DENIED), false),
        ("Rate limit exceeded", Int(AIB_E_LIMIT), true), ("Problem processing request", Int(AIB_E_UPSTREAM), true),
        ("Workspace not found", Int(AIB_E_UPSTREAM), false), ("You must accept the terms", Int(AIB_E_UPSTREAM), false),
    ])
    func `an error of GraphQL has its class by its words`(message: String, code: Int, isRetryable: Bool) async throws {
        let railway = FakeRailway()
        railway.intervene = { $0.name == "ProjectCreate" ? FakeRailway.error(message) : nil }
        let outcome = try await Self.deploy(railway)
        #expect(outcome.status == code && outcome.result["retryable"] == .bool(isRetryable))
        #expect(outcome.message.contains(message))
    }

    @Test(arguments: [
        (401, Int(AIB_E_DENIED), false), (403, Int(AIB_E_DENIED), false), (404, Int(AIB_E_UPSTREAM), false),
        (302, Int(AIB_E_UPSTREAM), false), (429, Int(AIB_E_LIMIT), true), (500, Int(AIB_E_UPSTREAM), true),
        (503, Int(AIB_E_UPSTREAM), true), (400, Int(AIB_E_INVALID), false),
    ])
    func `an HTTP status has its class`(status: Int, code: Int, isRetryable: Bool) async throws {
        let railway = FakeRailway()
        railway.intervene = { _ in
            FakeHost.Answer(status: Int64(status), headers: [["retry-after", "7"]], body: "<h1>no</h1>\nmore")
        }
        let outcome = try await Self.deploy(railway)
        #expect(outcome.status == code && outcome.result["retryable"] == .bool(isRetryable))
        #expect(outcome.result["status"] == .integer(Int64(status)))
        #expect(outcome.result["retry_after_ms"] == (isRetryable ? 7_000 : nil))
        #expect(outcome.message.contains("<h1>no</h1>") && !outcome.message.contains("more"))
    }

    /// A base URL that leads nowhere is not a project that is gone: nothing may be taken for deleted.
    @Test func `a path that does not exist is an error of a deletion`() async throws {
        let railway = FakeRailway()
        railway.intervene = { _ in FakeHost.Answer(status: 404, body: "not found") }
        let input = PluginCall.about("deploy_application", PluginCall.deploy)
        let outcome = try await PluginCall.run("deploy.delete", input, on: railway)
        #expect(outcome.status == AIB_E_UPSTREAM)
    }

    @Test func `a document that is refused with status 400 says why`() async throws {
        let railway = FakeRailway()
        railway.intervene = { _ in
            FakeHost.Answer(status: 400, body: #"{"errors":[{"message":"Cannot query field \"x\""}]}"#)
        }
        let outcome = try await Self.deploy(railway)
        #expect(outcome.status == AIB_E_UPSTREAM && outcome.message.contains("Cannot query field"))
    }

    @Test(arguments: [
        "", "null", "[]", "{", "{}", #"{"data":null}"#, #"{"data":[]}"#, #"{"data":{}}"#,
        #"{"data":{"projects":null}}"#, #"{"data":{"projects":{"edges":7}}}"#,
        #"{"data":{"projects":{"edges":[null,{"node":null}],"pageInfo":{"hasNextPage":false}}}}"#,
        #"{"data":{"projects":{"edges":[]}}}"#,
        #"{"data":{"projects":{"edges":[],"pageInfo":{"hasNextPage":true,"endCursor":null}}}}"#,
        #"{"data":{"projects":{"edges":[],"pageInfo":{"hasNextPage":true,"endCursor":"a"}}}}"#,
        #"{"data":{"projects":{"edges":[{"node":{"id":"../../x","name":"n"}}],"pageInfo":{"hasNextPage":false}}}}"#,
        #"{"errors":[{}]}"#, #"{"errors":[{"message":7}]}"#, "<html>a gateway's page</html>",
    ])
    func `an answer that is not what the schema says is an error`(body: String) async throws {
        let railway = FakeRailway()
        railway.intervene = { $0.name == "Projects" ? FakeHost.Answer(body: body) : nil }
        let outcome = try await Self.deploy(railway)
        #expect(outcome.status == AIB_E_UPSTREAM)
        #expect(railway.count("ProjectCreate") == 0, "what could not be looked for is not made")
    }

    @Test(arguments: [
        ("ProjectCreate", "projectCreate", #"{"id":"p","environments":{"edges":[]},"services":{"edges":[]}}"#),
        ("ServiceCreate", "serviceCreate", #"{"id":null}"#), ("ServiceCreate", "serviceCreate", #"{"id":"a/b"}"#),
        ("Deployments", "deployments", #"{"edges":[{"node":{"id":"d","status":7}}]}"#),
        ("Domains", "domains", #"{"serviceDomains":{}}"#),
        ("ServiceDomainCreate", "serviceDomainCreate", #"{"domain":"evil.example/path?x"}"#),
        ("ServiceInstanceUpdate", "serviceInstanceUpdate", "false"),
        ("VariableCollectionUpsert", "variableCollectionUpsert", "null"),
        ("Deployment", "deployment", #"{"status":null}"#),
    ])
    func `each step checks what it is given`(name: String, field: String, value: String) async throws {
        let railway = FakeRailway()
        railway.intervene = { request in
            request.name == name ? FakeHost.Answer(body: #"{"data":{"\#(field)":\#(value)}}"#) : nil
        }
        let outcome = try await Self.deploy(railway)
        #expect(outcome.status == AIB_E_UPSTREAM || outcome.status == AIB_E_INVALID)
        #expect(!outcome.message.isEmpty)
    }

    @Test(arguments: [
        #"{"domain":"h.example/x","proxyPort":1,"applicationPort":5432,"syncStatus":"ACTIVE"}"#,
        #"{"domain":"h.example","proxyPort":70000,"applicationPort":5432,"syncStatus":"ACTIVE"}"#,
        #"{"domain":"h.example","proxyPort":"1","applicationPort":5432,"syncStatus":"ACTIVE"}"#,
    ])
    func `a proxy that is no address makes no URL`(proxy: String) async throws {
        let railway = FakeRailway()
        railway.intervene = { request in
            request.name == "TcpProxies" ? FakeHost.Answer(body: #"{"data":{"tcpProxies":[\#(proxy)]}}"#) : nil
        }
        let outcome = try await PluginCall.run("deploy.provision_database", PluginCall.database, on: railway)
        #expect(outcome.status == AIB_E_UPSTREAM && outcome.message.contains("tcpProxies[0]"))
    }

    @Test func `an answer of ten megabytes is not read to its end`() async throws {
        let railway = FakeRailway()
        railway.intervene = { _ in FakeHost.Answer(body: String(repeating: " ", count: 10 << 20)) }
        #expect(try await Self.deploy(railway).status == AIB_E_LIMIT)
        // Nor is a refusal, of which the beginning is enough.
        railway.intervene = { _ in FakeHost.Answer(status: 502, body: String(repeating: "x", count: 10 << 20)) }
        let refused = try await Self.deploy(railway)
        #expect(refused.status == AIB_E_UPSTREAM && refused.message.utf8.count < 1_000)
    }

    @Test func `an environment that is not there is named`() async throws {
        let railway = FakeRailway()
        railway.projects = [("p", PluginCall.projectName, "staging")]
        let outcome = try await Self.deploy(railway)
        #expect(outcome.status == AIB_E_INVALID && outcome.message.contains("\"production\""))
        #expect(railway.services.isEmpty)
    }

    @Test func `a workspace is named where one is configured, and only there`() async throws {
        let railway = FakeRailway()
        _ = try await Self.deploy(railway, workspace: "w-1")
        #expect(railway.first("Projects")?.variables["workspaceId"] == "w-1")
        #expect(railway.first("ProjectCreate")?.variables["input"]?["workspaceId"] == "w-1")
        let other = FakeRailway()
        _ = try await Self.deploy(other)
        #expect(other.first("Projects")?.variables == ["first": 100])
        #expect(
            other.first("ProjectCreate")?.variables["input"]
                == ["name": .string(PluginCall.projectName), "defaultEnvironmentName": "production"])
    }

    @Test func `a project on a later page is found and none is made`() async throws {
        let railway = FakeRailway()
        railway.projects = (0..<3).map { ("other-\($0)", "other-\($0)", "production") }
        railway.projects.append(("mine", PluginCall.projectName, "production"))
        #expect(try await Self.deploy(railway).result["resource"]?["project_id"] == "mine")
        #expect(railway.requests.filter { $0.name == "Projects" }.map { $0.variables["after"] } == [nil, "2"])
    }

    @Test func `no message, body or header holds the token`() async throws {
        let railway = try await PluginCall.deployed()
        for request in railway.requests {
            #expect(request.sent.headers["authorization"] == "Bearer {{secret:RAILWAY_TOKEN}}")
            #expect(request.sent.headers["x-aibackend-call-id"] == "call-7")
            #expect(!request.sent.text.contains("RAILWAY_TOKEN") && !request.sent.url.contains("RAILWAY_TOKEN"))
            #expect(request.sent.timeoutMilliseconds == (request.name == "upload" ? 0 : 30_000))
        }
    }

    @Test func `an operation that is not served is refused`() async throws {
        let outcome = try await PluginCall.run("ai.generate", PluginCall.deploy, on: FakeRailway())
        #expect(outcome.status == AIB_E_UNSUPPORTED)
    }
}
