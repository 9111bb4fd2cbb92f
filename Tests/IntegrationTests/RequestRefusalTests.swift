import Domain
import Foundation
import Outbound
import Testing

@testable import App

/// What clients do wrong, as it looks from the other side of the API: the real program with the sandbox behind its
/// plugins.
@Suite(.timeLimit(.minutes(1))) struct RequestRefusalTests {
    @Test func everyMistakeIsToldWithItsPlace() async throws {
        let transport = APIClient.transport()
        let folder = try Program.folder("refusals")
        let templates = folder + "/templates"
        try FileManager.default.createDirectory(atPath: templates, withIntermediateDirectories: true)
        try Self.template.write(toFile: templates + "/probe.yaml", atomically: true, encoding: .utf8)
        let host = try HostProcess(
            ["--sandbox", "--templates", templates], dataDirectory: folder, transport: transport)
        let client = try await host.client.registered()
        try await checkRefusals(host.client, client)

        // Nothing of it has harmed the host: it answers, and a good request goes through.
        #expect(try await host.client.get("/health").status == 200)
        let good = try await client.run("probe", ["subject": "tides"])
        #expect(good["status"] == "completed", "\(good.text)")
        #expect(host.stop() == 0)
        await transport.shutdown()
    }

    /// The status, the problem's code, and the place where the request is at fault.
    private func checkRefusals(_ stranger: APIClient, _ client: APIClient) async throws {
        var forger = stranger
        forger.key = "aib_" + String(repeating: "A", count: 43)
        let good: JSON = ["subject": "tides"]
        let cases: [(APIClient, JSON, Int, String, String?)] = [
            (stranger, good, 401, "missing_api_key", nil),
            (forger, good, 401, "invalid_api_key", nil),
            (client, [:], 400, "invalid_configuration", "missing_input"),
            (client, ["subject": "no Capitals"], 400, "invalid_configuration", "pattern_mismatch"),
            (client, ["subject": 7], 400, "invalid_configuration", "wrong_type"),
            (client, ["subject": "tides", "sbject": "x"], 400, "invalid_configuration", "unknown_input"),
            (client, ["subject": "<script>"], 400, "dangerous_content", nil),
            (
                client, ["subject": .string(String(repeating: "x", count: 10_000_000))], 413, "body_too_large", nil
            ),
        ]
        for (caller, configuration, status, code, fault) in cases {
            let answer = try await caller.post("/v1/templates/probe/execute", ["configuration": configuration])
            #expect(answer.status == status, "\(code): \(answer.body.text)")
            #expect(answer.body["code"]?.stringValue == code, "\(answer.body.text)")
            guard let fault else { continue }
            let error = try #require(answer.body["errors"]?.arrayValue?.first, "\(answer.body.text)")
            #expect(error["code"]?.stringValue == fault, "\(error.text)")
            #expect(error["pointer"]?.stringValue?.hasPrefix("/configuration/") == true, "\(error.text)")
        }
        #expect(try await client.post("/v1/templates/prob/execute", ["configuration": good]).status == 404)
    }

    private static let template = """
        template:
          metadata:
            {id: probe, name: Probe, version: "1.0.0", description: One call., category: tools, complexity: beginner}
          configuration:
            required_inputs:
              - {key: subject, type: string, validation: '[a-z-]{1,40}'}
          execution_steps:
            - step_id: 1
              name: Probe
              type: ai_call
              ai_provider: claude
              prompt_template: Say something about {{subject}}.
              expected_output: answer
          success_criteria:
            required_outputs: [answer]
        """
}
