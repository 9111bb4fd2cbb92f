import Domain
import Foundation
import Outbound
import Testing

@testable import App

/// A failure at each step of the specification's template in turn: nothing is left at the provider, the generated
/// source is kept, and the error says what, where and what to do.
@Suite(.timeLimit(.minutes(10))) struct StepFailureTests {
    struct Case: Sendable, CustomTestStringConvertible {
        /// nil where every step succeeds and the run fails for its success criteria.
        let step: String?
        var fault: JSON?
        let error: String
        /// Whether an AI step before it has written anything.
        var hasSource = true
        /// The template as it is where this is nil.
        var variant: SpecificationTemplate.Variant?
        var configuration: JSON = ["app_name": "Invoice Pilot"]
        var testDescription: String { "\(step ?? "success criteria"): \(error)" }
    }

    /// A model that is asked for this step's work is refused for good.
    private static func ai(_ step: String, _ provider: String, _ words: String, hasSource: Bool) -> Case {
        let fault: JSON = [
            "provider": .string(provider), "kind": "status", "status": 401, "match": .string(words),
        ]
        return Case(step: step, fault: fault, error: "provider_denied", hasSource: hasSource)
    }

    private static func railway(_ step: String, _ fault: JSON, _ error: String) -> Case {
        Case(step: step, fault: fault.of("railway"), error: error)
    }

    /// What a provider can do to the template as it is.
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

    /// Steps that the template as it is cannot fail at: one is optional, two are the host's own. These variants hand a
    /// client's input to them, or need the optional one.
    static let variants = [
        Case(
            step: "Deployment Configuration", error: "config_refused",
            variant: SpecificationTemplate.Variant(
                id: "any-stage", step: 7,
                fields: [
                    "parameters": ["provider": "{{deployment_config.provider}}", "environment": "{{stage}}"]
                ], inputs: [["key": "stage", "type": "integer"]]),
            configuration: ["app_name": "Invoice Pilot", "stage": 3]),
        Case(
            step: "Domain Configuration", fault: ["provider": "railway", "kind": "domain_conflict", "times": 100],
            error: "domain_refused",
            variant: SpecificationTemplate.Variant(
                id: "own-domain", step: 9, fields: ["optional": .null],
                inputs: [["key": "domain_name", "type": "string"]]),
            configuration: ["app_name": "Invoice Pilot", "domain_name": "pilot.example.org"]),
        Case(
            step: "Monitoring Setup", error: "monitoring_refused",
            variant: SpecificationTemplate.Variant(
                id: "any-interval", step: 10,
                fields: [
                    "parameters": ["app_url": "{{final_url}}", "health_checks": ["interval_seconds": "{{seconds}}"]]
                ], inputs: [["key": "seconds", "type": "integer"]]),
            configuration: [
                "app_name": "Invoice Pilot", "domain_name": "pilot.example.org", "seconds": 1,
            ]),
        Case(
            step: nil, error: "required_output_missing",
            variant: SpecificationTemplate.Variant(
                id: "wants-domain", criteria: ["required_outputs": ["app_url", "domain_configuration"]])),
        Case(
            step: nil, error: "success_criteria_failed",
            variant: SpecificationTemplate.Variant(
                id: "no-address",
                criteria: ["health_checks": [["type": "http_response", "url": "{{app_url}}:health"]]])),
    ]

    /// Its check is repeated for a minute before it counts as failed.
    static let unhealthy = Case(
        step: nil, error: "success_criteria_failed",
        variant: SpecificationTemplate.Variant(
            id: "wrong-page",
            criteria: ["health_checks": [["type": "http_response", "url": "{{app_url}}/no/such/page"]]]))

    @Test func `leaves nothing behind at any step`() async throws {
        try await check(Self.cases, "step-failures")
    }

    @Test func `leaves nothing behind at a step that works on what others gave`() async throws {
        try await check(Self.variants, "variant-failures")
    }

    @Test func `leaves nothing behind where the application is not what was asked for`() async throws {
        try await check([Self.unhealthy], "criterion-failure")
    }

    private func check(_ cases: [Case], _ name: String) async throws {
        let transport = APIClient.transport()
        let folder = try Program.folder(name)
        let templates = folder + "/templates"
        try FileManager.default.createDirectory(atPath: templates, withIntermediateDirectories: true)
        try SpecificationTemplate.json.write(
            toFile: templates + "/saas-starter-v2.json", atomically: true, encoding: .utf8)
        for variant in cases.compactMap(\.variant) {
            try variant.json.write(toFile: "\(templates)/\(variant.id).json", atomically: true, encoding: .utf8)
        }
        let host = try HostProcess(
            ["--sandbox", "--templates", templates], dataDirectory: folder + "/data", transport: transport)
        let client = try await host.client.registered()
        let world = try DeployedWorld(host, transport: transport)
        for one in cases { try await check(one, client, world, host) }
        // And with nothing in the way it still works.
        let good = try await client.run("saas-starter-v2", ["app_name": "Invoice Pilot"])
        #expect(good["status"] == "completed", "\(good["error"]?.text ?? "")")
        #expect(host.stop() == 0)
        await transport.shutdown()
    }

    private func check(_ one: Case, _ client: APIClient, _ world: DeployedWorld, _ host: HostProcess) async throws {
        if let fault = one.fault { try await world.arm(fault) }
        let execution = try await client.run(one.variant?.id ?? "saas-starter-v2", one.configuration)
        #expect(execution["status"] == "failed", "\(one)")
        let error = try #require(execution["error"], "\(one)")
        #expect(error["code"]?.stringValue == one.error, "\(one): \(error.text)")
        #expect(error["step"]?.stringValue == one.step, "\(one): \(error.text)")
        #expect(error["message"]?.stringValue?.isEmpty == false, "\(one)")
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

extension JSON {
    fileprivate func of(_ provider: String) -> JSON {
        var fault = self
        fault.set("provider", .string(provider))
        return fault
    }
}
