import Domain
import Foundation
import Outbound
import Testing

@testable import App

/// A failure at each step of the specification's template in turn: nothing is left at the provider, the generated
/// source is kept, and the error says what, where and what to do.
@Suite(.serialized, .timeLimit(.minutes(10))) struct StepFailureTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let step: String
        let fault: JSON
        let error: String
        /// Whether an AI step before it has written anything.
        let hasSource: Bool
        var testDescription: String { "\(step): \(error)" }
    }

    /// A model that is asked for this step's work is refused for good.
    private static func ai(_ step: String, _ provider: String, _ words: String, hasSource: Bool) -> Case {
        let fault: JSON = [
            "provider": .string(provider), "kind": "status", "status": 401, "match": .string(words),
        ]
        return Case(step: step, fault: fault, error: "provider_denied", hasSource: hasSource)
    }

    private static func railway(_ step: String, _ fault: JSON, _ error: String) -> Case {
        var fault = fault
        fault.set("provider", "railway")
        return Case(step: step, fault: fault, error: error, hasSource: true)
    }

    static let cases = [
        ai("Architecture Planning", "anthropic", "SaaS architecture with features", hasSource: false),
        ai("Frontend Generation", "openai", "Generate Next.js frontend code", hasSource: true),
        ai("Backend API Creation", "anthropic", "Create FastAPI backend", hasSource: true),
        railway(
            "Database Setup", ["kind": "status", "status": 403, "match": "serviceCreate"], "provider_denied"),
        ai("Stripe Integration", "openai", "Add Stripe subscription billing", hasSource: true),
        ai("Testing & Quality Assurance", "anthropic", "Generate comprehensive tests", hasSource: true),
        railway("Application Deployment", ["kind": "build_failed", "match": "/app"], "deployment_failed"),
        railway("Application Deployment", ["kind": "unhealthy", "match": "/app"], "deployment_failed"),
        railway("Application Deployment", ["kind": "crash", "match": "/app"], "deployment_failed"),
    ]

    @Test func `leaves nothing behind at any step`() async throws {
        let transport = APIClient.transport()
        let folder = try Program.folder("step-failures")
        let templates = folder + "/templates"
        try FileManager.default.createDirectory(atPath: templates, withIntermediateDirectories: true)
        try SpecificationTemplate.json.write(
            toFile: templates + "/saas-starter-v2.json", atomically: true, encoding: .utf8)
        let host = try HostProcess(
            ["--sandbox", "--templates", templates], dataDirectory: folder + "/data", transport: transport)
        let client = try await host.client.registered()
        let world = try DeployedWorld(host, transport: transport)
        for one in Self.cases { try await check(one, client, world, host) }
        // And with nothing in the way it still works.
        let good = try await client.run("saas-starter-v2", ["app_name": "Invoice Pilot"])
        #expect(good["status"] == "completed", "\(good["error"]?.text ?? "")")
        #expect(host.stop() == 0)
        await transport.shutdown()
    }

    private func check(_ one: Case, _ client: APIClient, _ world: DeployedWorld, _ host: HostProcess) async throws {
        try await world.arm(one.fault)
        let execution = try await client.run("saas-starter-v2", ["app_name": "Invoice Pilot"])
        #expect(execution["status"] == "failed", "\(one)")
        let error = try #require(execution["error"], "\(one)")
        #expect(error["code"]?.stringValue == one.error, "\(one): \(error.text)")
        #expect(error["step"]?.stringValue == one.step, "\(one): \(error.text)")
        #expect(error["action"]?.stringValue?.isEmpty == false, "\(one)")
        #expect(error["not_undone"] == nil, "\(one): \(error.text)")
        try await world.checkNothingIsLeft("\(one)")
        try await world.disarm()
        guard one.hasSource else { return }
        let url = try #require(execution["result"]?["github_repository"]?.stringValue, "\(one): \(execution.text)")
        let paths = try await world.clone(url, host, key: try #require(client.key))
        #expect(!paths.isEmpty, "\(one)")
    }
}
