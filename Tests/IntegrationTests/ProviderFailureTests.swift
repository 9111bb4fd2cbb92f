import Domain
import Foundation
import Outbound
import Testing

@testable import App

/// What providers and clients do wrong, as it looks from the other side of the API: the real program with the sandbox
/// behind its plugins.
@Suite(.timeLimit(.minutes(1))) struct ProviderFailureTests {
    /// What the provider does to the calls of one run, and what becomes of the run. The name is the run's input, and
    /// so the word by which the sandbox knows its calls.
    struct Case: Sendable {
        let name: String
        let fault: JSON
        /// nil where the run completes.
        let error: String?
        let calls: Int
    }

    static let cases = [
        Case(name: "bad-key", fault: ["kind": "status", "status": 401], error: "provider_denied", calls: 1),
        Case(name: "no-credit", fault: ["kind": "status", "status": 402], error: "provider_out_of_credit", calls: 1),
        Case(
            name: "too-fast", fault: ["kind": "status", "status": 429, "retry_after": "1"], error: nil, calls: 2),
        Case(
            name: "too-patient", fault: ["kind": "status", "status": 429, "retry_after": "3600"],
            error: "provider_rate_limited", calls: 1),
        Case(
            name: "crowded", fault: ["kind": "status", "status": 529, "times": 2], error: "provider_overloaded",
            calls: 2),
        Case(
            name: "gateway", fault: ["kind": "status", "status": 502, "body": "<html>Bad gateway", "times": 2],
            error: "provider_failed", calls: 2),
        Case(name: "garbled", fault: ["kind": "invalid_json", "times": 2], error: "provider_failed", calls: 2),
        Case(name: "cut-off", fault: ["kind": "cut", "times": 2], error: "provider_failed", calls: 2),
        Case(name: "cut-once", fault: ["kind": "cut"], error: nil, calls: 2),
        Case(name: "late-news", fault: ["kind": "overloaded_in_stream"], error: nil, calls: 2),
        Case(name: "all-well", fault: .null, error: nil, calls: 1),
    ]

    @Test func everyFailureIsToldPaidForAndSurvived() async throws {
        let transport = APIClient.transport()
        let folder = try Program.folder("failures")
        let templates = folder + "/templates"
        try FileManager.default.createDirectory(atPath: templates, withIntermediateDirectories: true)
        try Self.template.write(toFile: templates + "/probe.yaml", atomically: true, encoding: .utf8)
        let host = try HostProcess(
            ["--sandbox", "--templates", templates], dataDirectory: folder, transport: transport)
        let client = try await host.client.registered()
        let sandbox = APIClient(transport: transport, base: try #require(host.sandbox))

        for one in Self.cases where !one.fault.isNull {
            var fault = one.fault
            fault.set("match", .string(one.name))
            #expect(try await sandbox.post("/faults", fault).status == 201)
        }
        let runs = try await withThrowingTaskGroup(of: (Int, JSON).self) { group in
            for (index, one) in Self.cases.enumerated() {
                group.addTask { (index, try await client.ended(try await client.probe(one.name))) }
            }
            return try await group.reduce(into: [Int: JSON]()) { $0[$1.0] = $1.1 }
        }
        let ledger = try #require(try await sandbox.get("/ledger").body["calls"]?.arrayValue)
        for (index, one) in Self.cases.enumerated() {
            try check(
                try #require(runs[index]), one, ledger.filter { $0["prompt"]?.text.contains(one.name) == true })
        }
        try checkWait(ledger)
        try await checkRefusals(host.client, client)

        // Nothing of it has harmed the host: it answers, and the case that was refused for good now goes through.
        #expect(try await host.client.get("/health").status == 200)
        let again = try await client.ended(try await client.probe("bad-key"))
        #expect(again["status"] == "completed", "\(again.text)")
        #expect(host.stop() == 0)
        await transport.shutdown()
    }

    private func check(_ run: JSON, _ one: Case, _ ledger: [JSON]) throws {
        #expect(run["status"]?.stringValue == (one.error == nil ? "completed" : "failed"), "\(one.name): \(run.text)")
        #expect(run["error"]?["code"]?.stringValue == one.error, "\(one.name): \(run.text)")
        if one.error != nil {
            #expect(run["error"]?["step"] == "Probe")
            #expect(run["error"]?["action"]?.stringValue?.isEmpty == false, "\(one.name): \(run.text)")
            #expect(run["error_message"]?.stringValue?.contains("claude") == true)
            #expect(run.text.contains("<html>") == false, "the provider's own words reached the client")
        }
        // One row a call, here and there, and the bill is what the provider announced.
        let lines = run["cost_breakdown"]?["steps"]?.arrayValue ?? []
        #expect(lines.compactMap { $0["calls"]?.integerValue }.reduce(0, +) == Int64(one.calls), "\(one.name)")
        #expect(ledger.count == one.calls, "\(one.name)")
        var cost = Money.zero
        for call in ledger where call["usage"] != .null {
            let input = try #require(call["usage"]?["input_tokens"]?.integerValue)
            // Output is announced as one token at the beginning of a stream, and in full only at its end.
            let output = call["stop_reason"] == .null ? 1 : call["usage"]?["output_tokens"]?.integerValue ?? 0
            // claude-sonnet-5-5: 2 and 10 dollars a million tokens.
            cost = try cost.adding(Money(picoDollars: input * 2_000_000 + output * 10_000_000))
        }
        #expect(run["total_cost"]?.stringValue == cost.description, "\(one.name): \(ledger.map(\.text))")
    }

    /// The second call came no earlier than the provider had asked for.
    private func checkWait(_ ledger: [JSON]) throws {
        let times = try ledger.filter { $0["prompt"]?.text.contains("too-fast") == true }.map { call in
            let text = try #require(call["received_at"]?.stringValue)
            return try Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        }
        try #require(times.count == 2)
        #expect(times[1].timeIntervalSince(times[0]) >= 1)
    }

    /// What clients do wrong: the status, the problem's code, and the place where the request is at fault.
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
              max_attempts: 2
          success_criteria:
            required_outputs: [answer]
        """
}

extension APIClient {
    fileprivate func probe(_ subject: String) async throws -> String {
        let answer = try await post(
            "/v1/templates/probe/execute", ["configuration": ["subject": .string(subject)]])
        return try #require(answer.body["execution_id"]?.stringValue, "\(answer.body.text)")
    }
}
