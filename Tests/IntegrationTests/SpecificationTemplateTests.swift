import Domain
import Foundation
import Outbound
import Testing

@testable import App

/// The specification's own template, as it is written there, run by the real program in the sandbox to an application
/// that answers.
@Suite(.serialized, .timeLimit(.minutes(5))) struct SpecificationTemplateTests {
    /// A host that knows the specification's template and nothing else.
    private func withHost(_ name: String, _ body: (HostProcess, APIClient, DeployedWorld) async throws -> Void)
        async throws
    {
        let transport = APIClient.transport()
        let folder = try Program.folder(name)
        let templates = folder + "/templates"
        try FileManager.default.createDirectory(atPath: templates, withIntermediateDirectories: true)
        try SpecificationTemplate.json.write(
            toFile: templates + "/saas-starter-v2.json", atomically: true, encoding: .utf8)
        let host = try HostProcess(
            ["--sandbox", "--templates", templates], dataDirectory: folder + "/data", transport: transport)
        let client = try await host.client.registered()
        try await body(host, client, DeployedWorld(host, transport: transport))
        #expect(host.stop() == 0)
        await transport.shutdown()
    }

    @Test func `it validates, plans and runs to an application with its repository, credentials and price`()
        async throws
    {
        try await withHost("specification") { host, client, world in
            #expect(host.output.contains("templates  1 registered"))
            let execution = try await client.run("saas-starter-v2", ["app_name": "Invoice Pilot"])
            #expect(execution["status"] == "completed", "\(execution["error"]?.text ?? "")")
            let result = try #require(execution["result"])
            for name in ["app_url", "github_repository", "admin_credentials"] {
                #expect(result[name] != nil && result[name] != .null, "\(name) is missing")
            }
            #expect(execution["progress_percentage"] == 100)
            #expect(result["github_repo"] == result["github_repository"])
            let url = try #require(result["app_url"]?.stringValue)
            #expect(try await world.get(url + "/health").status == 200)
            let page = try await world.get(url)
            #expect(page.status == 200 && page.text.contains("Invoice Pilot"))
            try await world.checkSignIn(url, try #require(result["admin_credentials"]))
            try await world.checkClone(
                try #require(result["github_repository"]?.stringValue), host, key: try #require(client.key))
            #expect(execution["deployed_url"]?.stringValue == url)
            try await world.checkPrice(of: execution)
            let domain = try await client.steps(of: execution)
            #expect(domain.contains("Domain Configuration: skipped"))
        }
    }

    @Test func `features and name change what is asked, generated and deployed`() async throws {
        try await withHost("features") { host, client, world in
            let first = try await client.run(
                "saas-starter-v2",
                ["app_name": "Alpha Desk", "features": ["user_authentication", "subscription_billing"]])
            let second = try await client.run(
                "saas-starter-v2", ["app_name": "Beta Works", "features": ["user_authentication", "admin_dashboard"]])
            #expect(first["status"] == "completed" && second["status"] == "completed")
            let prompts = try await world.prompts()
            #expect(prompts.contains { $0.contains("Alpha Desk") && $0.contains("subscription_billing") })
            #expect(prompts.contains { $0.contains("Beta Works") && $0.contains("admin_dashboard") })
            let one = try #require(first["result"]?["app_url"]?.stringValue)
            let two = try #require(second["result"]?["app_url"]?.stringValue)
            #expect(one != two)
            let (front, other) = (try await world.get(one).text, try await world.get(two).text)
            #expect(front.contains("Alpha Desk") && !front.contains("Beta Works"))
            #expect(other.contains("Beta Works") && !other.contains("Alpha Desk"))
            #expect(try await world.get(one + "/pricing").status == 200)
            #expect(try await world.get(two + "/pricing").status == 404)
        }
    }

    @Test func `a custom domain waits for its records and then becomes the address`() async throws {
        try await withHost("domain") { host, client, world in
            let execution = try await client.run(
                "saas-starter-v2", ["app_name": "Invoice Pilot", "domain_name": "pilot.example.org"])
            #expect(execution["status"] == "completed", "\(execution["error"]?.text ?? "")")
            let step = try #require(execution["result"]?["domain_configuration"])
            #expect(step["status"] == "pending_dns")
            #expect(step["records"]?.arrayValue?.isEmpty == false)
            #expect(execution["result"]?["final_url"] == execution["result"]?["app_url"])
            try await world.verify(domain: "pilot.example.org")
            let id = try #require(execution["id"]?.stringValue)
            var now = execution
            while now["deployed_url"]?.stringValue != "https://pilot.example.org" {
                // There is no event to wait for on this side of the API once a run has ended.
                try await Task.sleep(for: .milliseconds(100))
                now = try await client.get("/v1/executions/\(id)").body
            }
            #expect(now["result"]?["final_url"] == "https://pilot.example.org")
        }
    }

    @Test func `a domain that is somebody else's leaves a run that works without it`() async throws {
        try await withHost("conflict") { host, client, world in
            try await world.arm(["provider": "railway", "kind": "domain_conflict", "match": "pilot.example.org"])
            let execution = try await client.run(
                "saas-starter-v2", ["app_name": "Invoice Pilot", "domain_name": "pilot.example.org"])
            #expect(execution["status"] == "completed", "\(execution["error"]?.text ?? "")")
            let result = try #require(execution["result"])
            #expect(result["domain_configuration"] == nil && result["final_url"] == result["app_url"])
            // What failed, what to do, and that nothing is left of it.
            let lines = try await client.lines(of: execution, step: "Domain Configuration").suffix(2)
            let words = lines.map { $0["message"]?.stringValue ?? "" }
            #expect(lines.first?["level"] == "warning", "\(words)")
            #expect(
                words.first?.hasPrefix("failed: the provider \"railway\" refused the domain; check that") == true,
                "\(words)")
            #expect(words.last == "undone: setup_domain", "\(words)")
            #expect(result["monitoring_setup"]?["is_monitored"] == true)
            #expect(try await world.state()["custom_domains"] == [])
            let url = try #require(result["app_url"]?.stringValue)
            #expect(try await world.get(url + "/health").status == 200)
        }
    }
}
