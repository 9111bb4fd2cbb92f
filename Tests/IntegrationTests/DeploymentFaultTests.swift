import Domain
import Foundation
import Outbound
import Testing

@testable import App

/// Every fault of a deployment target, with the whole host in front of it: what `docs/faults.md` says comes of each,
/// and what is left at the target.
@Suite(.timeLimit(.minutes(5))) struct DeploymentFaultTests {
    /// One run with one fault in its way. The application's name is the word by which the sandbox knows it.
    private struct Trial: Sendable {
        let row: DeploymentFault
        /// Whether the fault is there each time, or only the first.
        let isLasting: Bool

        var name: String { "\(row.id) \(isLasting ? "lasting" : "once")" }
        /// What the project's name begins with.
        var project: String { name.replacing(" ", with: "-") + "-" }
        var domain: String { "\(project)domain.example.org" }
        var isSurvived: Bool { row.error == nil || !isLasting && row.isSurvivable }
        var attempts: Int { isSurvived ? 2 : row.attempts }
        /// The attempt after the fault has all the time that it needs.
        var deadline: DeploymentFault.Deadline { !isLasting && row.deadline == .hasty ? .short : row.deadline }
        var template: String { DeploymentTemplate.id(row.step, deadline) }

        var faults: [JSON] {
            var fault = row.fault
            fault.set("match", .string(match))
            var all = [fault]
            if let operation = row.notUndone?.operation {
                all.append(["kind": "status", "status": 500, "match": .string("\(operation) \(project)")])
            }
            for index in all.indices {
                all[index].set("provider", "railway")
                all[index].set("times", isLasting ? 1_000 : 1)
            }
            return all
        }

        private var match: String {
            if let operation = row.operation { return "\(operation) \(project)" }
            return row.step == .domain ? domain : project
        }
    }

    /// What takes longest first.
    private static let trials = DeploymentFault.all.sorted { $0.deadline != .usual && $1.deadline == .usual }.flatMap {
        row in
        (row.isSurvivable && row.error != nil ? [true, false] : [true]).map { Trial(row: row, isLasting: $0) }
    }
    /// Runs at once: each has an application or a database.
    private static let width = 6

    @Test func `each ends as the table says and leaves what it says`() async throws {
        let transport = APIClient.transport()
        let folder = try Program.folder("deployment-faults")
        let faults = folder + "/faults.json"
        try JSON.array(Self.trials.flatMap(\.faults)).text.write(toFile: faults, atomically: true, encoding: .utf8)
        let templates = try DeploymentTemplate.folder(in: folder)
        let host = try HostProcess(
            ["--sandbox", "--faults", faults, "--templates", templates], dataDirectory: folder + "/data",
            transport: transport)
        let client = try await host.client.registered()
        let world = try DeployedWorld(host, transport: transport)
        _ = try await Self.trials.atOnce(width: Self.width) { try await check($0, client, world) }
        #expect(host.stop() == 0)
        await transport.shutdown()
    }

    private func check(_ trial: Trial, _ client: APIClient, _ world: DeployedWorld) async throws {
        let run = try await client.run(
            trial.template, ["app_name": .string(trial.name), "domain_name": .string(trial.domain)])
        let what = Comment(rawValue: "\(trial.name): \(run.text)")
        #expect(run["status"]?.stringValue == (trial.isSurvived ? "completed" : "failed"), what)
        let lines = try await client.lines(of: run, step: trial.row.step.name)
        let again = lines.count { $0["message"]?.stringValue?.hasPrefix("attempt ") == true }
        #expect(again == trial.attempts - 1, "\(trial.name): \(lines.map(\.text))")
        if !trial.isSurvived {
            let error = try #require(run["error"], what)
            #expect(error["code"]?.stringValue == trial.row.error, what)
            #expect(error["step"]?.stringValue == trial.row.step.name, what)
            #expect(error["action"]?.stringValue?.isEmpty == false, what)
            let left = error["not_undone"]?.arrayValue?.compactMap(\.stringValue) ?? []
            #expect(left == trial.row.notUndone?.effects ?? [], what)
        }
        try checkWhatIsLeft(of: trial, try await world.state())
    }

    /// Each thing once where the run completed, and nothing where it did not.
    private func checkWhatIsLeft(of trial: Trial, _ state: JSON) throws {
        let projects = state["projects"]?.arrayValue?.filter {
            $0["name"]?.stringValue?.hasPrefix(trial.project) == true
        }
        let ids = Set(projects?.compactMap { $0["id"] } ?? [])
        let services = state["services"]?.arrayValue?.filter { ids.contains($0["project_id"] ?? .null) } ?? []
        let domains = state["custom_domains"]?.arrayValue?.filter { $0["domain"]?.stringValue == trial.domain } ?? []
        let (count, what) = (trial.isSurvived ? 1 : 0, Comment(rawValue: "\(trial.name): \(state.text)"))
        guard trial.row.notUndone == nil else {
            #expect(ids.count == 1, what)
            return
        }
        #expect(ids.count == count && services.count == count, what)
        #expect(domains.count == (trial.row.step == .domain ? count : 0), what)
        let service = services.first?["id"]
        let deployments = state["deployments"]?.arrayValue?.filter { $0["service_id"] == service } ?? []
        #expect(deployments.count == count || service == nil, what)
    }

    @Test func `the table has a row for each of them`() throws {
        let table = try FaultTable("Deployment targets")
        #expect(Set(table.rows.keys) == Set(DeploymentFault.all.map(\.id)))
        for row in DeploymentFault.all {
            let cells = try #require(table.rows[row.id])
            #expect(cells[2] == row.error ?? "completes", "\(row.id)")
            #expect(cells[3] == "\(row.attempts)", "\(row.id)")
        }
    }
}

/// Templates of what a deployment target is asked: a database alone, an application alone, an application with a domain
/// of its own, with each deadline.
enum DeploymentTemplate {
    static func id(_ step: DeploymentFault.Step, _ deadline: DeploymentFault.Deadline) -> String {
        "\(step)-\(deadline)"
    }

    static func folder(in folder: String) throws -> String {
        let templates = folder + "/templates"
        try FileManager.default.createDirectory(atPath: templates, withIntermediateDirectories: true)
        for deadline in DeploymentFault.Deadline.allCases {
            for (step, text) in [
                (DeploymentFault.Step.database, database), (.deployment, site), (.domain, site + domain),
            ] {
                let id = id(step, deadline)
                let whole = head(id) + text.replacing("MINUTES", with: deadline.rawValue) + tail
                try whole.write(toFile: "\(templates)/\(id).yaml", atomically: true, encoding: .utf8)
            }
        }
        return templates
    }

    private static func head(_ id: String) -> String {
        """
        template:
          metadata:
            {id: \(id), name: Probe, version: "1.0.0", description: Probe., category: tools, complexity: beginner}
          configuration:
            required_inputs:
              - {key: app_name, type: string}
              - {key: domain_name, type: string}
            deployment_config: {provider: railway, environment: production}
          execution_steps:

        """
    }

    private static let database = """
            - step_id: 1
              name: Database Setup
              type: system_call
              command: setup_database
              parameters: {schema: "CREATE TABLE IF NOT EXISTS notes (id int)"}
              timeout_minutes: MINUTES

        """

    /// The prompt is that of `templates/documentation-site.yaml`, whose answer needs no database.
    private static let site = """
            - step_id: 1
              name: Site Building
              type: ai_call
              ai_provider: openai_codex
              prompt_template: |
                Build the documentation site of {{app_name}}. What it is: A probe of deployments.
                Sections: faq. Accent colour: teal.
              expected_output: site
              max_output_tokens: 32000
            - step_id: 2
              name: Application Deployment
              type: system_call
              command: deploy_application
              parameters: {site: "{{site}}"}
              timeout_minutes: MINUTES

        """

    private static let domain = """
            - step_id: 3
              name: Domain Configuration
              type: system_call
              command: setup_domain
              parameters: {domain: "{{domain_name}}", app_url: "{{app_url}}"}

        """

    private static let tail = """
          cleanup_on_failure: [delete_deployment, cleanup_database, remove_domain_records]

        """
}
