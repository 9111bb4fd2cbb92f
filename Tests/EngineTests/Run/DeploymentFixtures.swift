import Domain
import Synchronization

@testable import Engine

/// A vault, a packer, a probe and a database that remember what was asked of them.
final class FakeDeployment: SecretVault, SourceArchives, HealthProbe, SchemaInstaller {
    struct State {
        var secrets: [String: (id: UUIDv7, value: String)] = [:]
        var probed: [String] = []
        /// What looks find, in order; healthy when there is nothing left.
        var findings: [ProbeResult] = []
        var schemas: [String] = []
        var schemaError: ApplicationDatabaseError?
        var archiveError: SourceError?
        var passwords = 0
    }

    let state = Mutex(State())

    var ports: DeploymentPorts {
        DeploymentPorts(
            vault: self, archives: self, probe: self, schemas: self,
            repositoryURL: { "http://host/v1/executions/\($0)/repository.git" },
            password: {
                self.state.withLock { state in
                    state.passwords += 1
                    return "password-\(state.passwords)"
                }
            })
    }

    func keep(
        _ value: String, as name: String, of execution: UUIDv7
    ) async throws(LedgerError) -> SecretReference {
        state.withLock { state in
            let kept = state.secrets[name] ?? (UUIDv7(at: Timestamp(microseconds: 5)), value)
            state.secrets[name] = kept
            return SecretReference(id: kept.id)
        }
    }

    func replace(
        _ value: String, as name: String, of execution: UUIDv7
    ) async throws(LedgerError) -> SecretReference {
        state.withLock { state in
            let id = state.secrets[name]?.id ?? UUIDv7(at: Timestamp(microseconds: 6))
            state.secrets[name] = (id, value)
            return SecretReference(id: id)
        }
    }

    func values(
        _ references: [SecretReference], of execution: UUIDv7
    ) async throws(LedgerError) -> [SecretReference: String] {
        state.withLock { state in
            Dictionary(
                state.secrets.values.map { (SecretReference(id: $0.id), $0.value) }
                    .filter { references.contains($0.0) }
            ) { first, _ in first }
        }
    }

    func archive(of execution: UUIDv7) async throws(SourceError) -> SourceArchive {
        if let error = state.withLock({ $0.archiveError }) { throw error }
        return SourceArchive(digest: "digest", bytes: 12, paths: ["main.py"], remarks: ["replaced"])
    }

    func http(_ url: String, expectedStatus: Int?, timeout: Duration) async -> ProbeResult { look(at: url) }
    func database(_ url: String, timeout: Duration) async -> ProbeResult { look(at: url) }

    private func look(at url: String) -> ProbeResult {
        state.withLock { state in
            state.probed.append(url)
            return state.findings.isEmpty
                ? ProbeResult(isHealthy: true, latency: .zero) : state.findings.removeFirst()
        }
    }

    func install(_ sql: String, at url: String, timeout: Duration) async throws(ApplicationDatabaseError) {
        if let error = state.withLock({ $0.schemaError }) { throw error }
        state.withLock { $0.schemas.append("\(url): \(sql)") }
    }
}

/// A deployment target in memory: what there is, and what was called, by operation and command.
final class FakeTarget: Dispatch {
    struct State {
        var exists: Set<String> = []
        var calls: [Invocation] = []
        /// Errors by operation, thrown before there is an effect.
        var errors: [String: [ProviderError]] = [:]
        /// Errors by operation, thrown after the effect was done.
        var lostAnswers: [String: [ProviderError]] = [:]
        var domainStatus = "pending_dns"
    }

    let state = Mutex(State())
    static let operations = [
        "setup_database": "deploy.provision_database", "deploy_application": "deploy.deploy",
        "setup_domain": "deploy.setup_domain",
    ]

    let routes: [RouteKey] =
        [.aiProvider("claude")]
        + ["setup_database", "deploy_application", "setup_domain", "create_deployment_config", "setup_monitoring"]
        .map { .command($0, provider: "railway") }

    func route(for key: RouteKey) -> Route? {
        switch key {
        case .aiProvider:
            return Route(
                pluginID: "claude", pluginVersion: "1.0.0", operation: "ai.generate", defaultModel: "model-1",
                ledgerName: "claude", isMetered: true)
        case .command(let command, _):
            let operation = Self.operations[command]
            let isMonitor = command == "setup_monitoring"
            return Route(
                pluginID: "railway", pluginVersion: "1.0.0", operation: operation ?? "core.\(command)",
                defaultModel: nil, ledgerName: "custom", isMetered: false,
                lookup: operation == nil ? nil : "deploy.lookup",
                undo: operation != nil ? "deploy.delete" : isMonitor ? "core.stop" : nil)
        }
    }

    var calls: [Invocation] { state.withLock { $0.calls } }
    func calls(of operation: String) -> [Invocation] { calls.filter { $0.route.operation == operation } }
    var exists: Set<String> { state.withLock { $0.exists } }

    func invoke(
        _ invocation: Invocation, onChunk: @Sendable (CallChunk) async -> Void
    ) async throws(ProviderError) -> JSON {
        let operation = invocation.route.operation
        let command = invocation.input["effect"]?["command"]?.stringValue
        let error = state.withLock { state -> ProviderError? in
            state.calls.append(invocation)
            return state.errors[operation]?.isEmpty == false ? state.errors[operation]?.removeFirst() : nil
        }
        if let error { throw error }
        switch operation {
        case "deploy.lookup":
            guard let command, exists.contains(command) else { return ["found": false, "result": .null] }
            return ["found": true, "result": result(of: command)]
        case "deploy.delete", "core.stop":
            let was = state.withLock { $0.exists.remove(command ?? "") != nil }
            return ["deleted": .bool(was)]
        case "ai.generate": return answer("an answer")
        default: break
        }
        let made = Self.operations.first { $0.value == operation }?.key ?? String(operation.dropFirst(5))
        let lost = state.withLock { state -> ProviderError? in
            state.exists.insert(made)
            return state.lostAnswers[operation]?.isEmpty == false ? state.lostAnswers[operation]?.removeFirst() : nil
        }
        if made == "deploy_application" { await onChunk(.log(.build, "built the thing")) }
        if let lost { throw lost }
        return result(of: made)
    }

    private func result(of command: String) -> JSON {
        switch command {
        case "setup_database":
            ["engine": "postgresql", "secrets": ["database_url": "postgresql://db"], "resource": ["id": "database-1"]]
        case "deploy_application":
            ["app_url": "http://app", "deployment_id": "d-1", "resource": ["id": "service-1"]]
        case "setup_domain":
            [
                "domain": "example.com", "status": .string(state.withLock { $0.domainStatus }), "records": [],
                "resource": ["id": "domain-1"],
            ]
        case "create_deployment_config": ["start_command": "python3 main.py", "health_check_path": "/healthz"]
        default: [:]
        }
    }
}

extension PlannedStep {
    static func system(
        _ id: String, _ command: String, after dependencies: [Int] = [], parameters: JSON = [:],
        optional: Bool = false, attempts: Int = 3, timeout: Duration = .seconds(60)
    ) -> PlannedStep {
        PlannedStep(
            id: id, name: "Step \(id)", slug: "step_\(id)",
            action: .system(SystemAction(command: command, provider: "railway", parameters: parameters)),
            dependencies: dependencies, outputNames: ["out_\(id)"], isOptional: optional, timeout: timeout,
            maximumAttempts: attempts)
    }
}

extension ExecutionPlan {
    /// A database, a configuration, a deployment, a domain and monitoring.
    static func deploying(
        schema: JSON = "CREATE TABLE t (id int)", checks: [HealthCheck] = [], cleanup: [Cleanup] = Cleanup.allCases,
        required: [String] = ["app_url", "github_repository", "admin_credentials"], domain: JSON = "example.com"
    ) -> ExecutionPlan {
        ExecutionPlan(
            templateSlug: "t", templateVersion: "1.0.0", deploymentConfig: ["environment": "production"],
            steps: [
                .ai("1"), .system("2", "setup_database", after: [0], parameters: ["schema": schema]),
                .system("3", "create_deployment_config", after: [0]),
                .system(
                    "4", "deploy_application", after: [1, 2],
                    parameters: ["backend": "{{out_1}}", "database": "{{database_url}}"]),
                .system("5", "setup_domain", after: [3], parameters: ["domain": domain], optional: true),
                .system("6", "setup_monitoring", after: [3, 4], parameters: ["app_url": "{{final_url}}"]),
            ], requiredOutputs: required, healthChecks: checks, cleanup: cleanup)
    }
}
