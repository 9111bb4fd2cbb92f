import Domain
import Foundation
import Logging
import Outbound
import Sandbox
import Testing

@testable import App

/// `kill -9` of the host in the middle of making things at a deployment target that lives on: the run completes, and
/// nothing is there twice.
@Suite(.serialized, .timeLimit(.minutes(4))) struct DeploymentCrashTests {
    /// Calls of the plugin at which the host dies, in the order in which a run comes by them. What came before each is
    /// done at the provider, and of the step in which it happens there is nothing in the ledger but its intent.
    private static let instants = [
        "serviceCreate", "tcpProxyCreate", "serviceInstanceDeployV2", "serviceDomainCreate", "variableCollectionUpsert",
        "buildLogs", "customDomainCreate",
    ]

    @Test func `killed between effects and their records the run completes with each of them once`() async throws {
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let folder = try Program.folder("deployment-crash")
        let applications = SandboxApplications(folder: folder + "/sandbox", logger: logger)
        let sandbox = try Sandbox(
            configuration: .init(latency: .none), fixtures: Installation.answers(), applications: applications,
            logger: logger)
        let transport = APIClient.transport()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await sandbox.run() }
            let address = try await sandbox.waitUntilListening()
            let provider = APIClient(transport: transport, base: address.baseURL)
            try await crash(provider, address, folder, transport)
            group.cancelAll()
        }
        await applications.shutdown()
        await transport.shutdown()
    }

    private func crash(
        _ provider: APIClient, _ address: SandboxAddress, _ folder: String, _ transport: HTTPClient
    ) async throws {
        let settings = folder + "/aibackend.yaml"
        try """
        plugins:
          claude: {base_url: "\(address.anthropicBaseURL)"}
          codex: {base_url: "\(address.openAIBaseURL)"}
          railway: {base_url: "\(address.railwayBaseURL)", poll_interval_ms: 50}
        """.write(toFile: settings, atomically: true, encoding: .utf8)
        func start() throws -> HostProcess {
            let key = "sk-sandbox-key"
            return try HostProcess(
                ["--config", settings], dataDirectory: folder + "/data",
                environment: [
                    "ANTHROPIC_API_KEY": key, "OPENAI_API_KEY": key, "RAILWAY_TOKEN": key,
                    "DEPLOYMENTS_PRIVATE_ADDRESSES": "allow",
                ],
                transport: transport)
        }
        var host = try start()
        let client = try await host.client.registered()
        var gate = try await provider.hold(Self.instants[0])
        let id = try await client.begin(
            "saas-starter", ["app_name": "Tidewatch", "domain_name": "tides.example.org"])
        for (number, instant) in Self.instants.enumerated() {
            do { _ = try await provider.get("/gates/\(gate)?held=1") } catch {
                let log = APIClient(transport: transport, base: host.client.base, key: client.key)
                let lines = try await log.get("/v1/executions/\(id)/logs?limit=1000").body["logs"]?.arrayValue ?? []
                Issue.record("never came to \(instant): \(lines.suffix(8).map(\.text))")
                throw error
            }
            host.kill()
            let next = Self.instants.dropFirst(number + 1).first
            let following = try await next.asyncMap { try await provider.hold($0) }
            try await provider.release(gate)
            host = try start()
            gate = following ?? gate
        }
        let survivor = APIClient(transport: transport, base: host.client.base, key: client.key)
        let execution = try await survivor.ended(id)
        #expect(execution["status"] == "completed", "\(execution["error"]?.text ?? "")")
        try await check(provider, execution)
        #expect(host.stop() == 0)
    }

    private func check(_ provider: APIClient, _ execution: JSON) async throws {
        let state = try await provider.get("/railway/state").body
        func count(_ kind: String) -> Int { state[kind]?.arrayValue?.count ?? 0 }
        #expect(count("projects") == 1 && count("databases") == 1 && count("tcp_proxies") == 1, "\(state.text)")
        #expect(Set(state["services"]?.arrayValue?.map { $0["name"]?.stringValue } ?? []) == ["postgres", "app"])
        #expect(count("services") == 2 && count("domains") == 1 && count("custom_domains") == 1, "\(state.text)")
        let url = try #require(execution["result"]?["app_url"]?.stringValue)
        #expect(try await APIClient(transport: provider.transport, base: url).send("GET", "/health").status == 200)
        // Steps of models run beside those of the provider, and a crash may cut one: it is asked again. Each call has a
        // row of its own, also one that was recorded and cut before it was sent.
        let models = try await provider.calls().filter { $0["provider"]?.stringValue != "railway" }
        #expect(Set(models.map { $0["call_id"] }).count == models.count)
        let lines = try #require(execution["cost_breakdown"]?["steps"]?.arrayValue)
        let rows = lines.compactMap { $0["calls"]?.integerValue }.reduce(0, +)
        #expect(models.count >= 5 && rows >= Int64(models.count) && rows <= 5 + Int64(Self.instants.count))
    }
}

extension APIClient {
    /// Has the sandbox hold calls of the plugin Railway by the name of their root field.
    fileprivate func hold(_ match: String) async throws -> String {
        let answer = try await post("/gates", ["provider": "railway", "match": .string(match)])
        return try #require(answer.body["id"]?.text, "\(answer.body.text)").filter { $0 != "\"" }
    }

    fileprivate func begin(_ template: String, _ configuration: JSON) async throws -> String {
        let admitted = try await post("/v1/templates/\(template)/execute", ["configuration": configuration])
        return try #require(admitted.body["execution_id"]?.stringValue, "\(admitted.body.text)")
    }
}

extension Optional where Wrapped: Sendable {
    func asyncMap<Value>(_ transform: (Wrapped) async throws -> Value) async rethrows -> Value? {
        guard let self else { return nil }
        return try await transform(self)
    }
}
