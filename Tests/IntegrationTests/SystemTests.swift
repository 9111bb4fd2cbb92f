import Domain
import Foundation
import Outbound
import Testing

@testable import App

/// One host with the sandbox behind its plugins, as a client sees it.
@Suite(.serialized) struct SystemTests {
    @Test func aClientRegistersExecutesAndGetsTheResultAndItsExactPrice() async throws {
        let transport = APIClient.transport()
        let folder = try Program.folder("system")
        let host = try HostProcess(["--sandbox"], dataDirectory: folder, transport: transport)
        let client = try await host.client.registered()

        let templates = try await client.get("/v1/templates?category=content&max_cost=5").body
        #expect(templates["total_count"] == .integer(2))
        let listed = Set((templates["templates"]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue })
        #expect(listed == ["documentation-site", "market-brief"])

        let admitted = try await client.post(
            "/v1/templates/market-brief/execute",
            ["configuration": ["product_name": "Tidewatch", "audience": "harbour masters"]])
        #expect(admitted.status == 202)
        let id = try #require(admitted.body["execution_id"]?.stringValue)
        #expect(admitted.body["progress_url"]?.stringValue?.hasSuffix("/v1/executions/\(id)") == true)
        let execution = try await client.ended(id)
        #expect(execution["status"] == "completed" && execution["progress_percentage"] == 100)
        #expect(execution["template_id"] == "market-brief")

        let sandbox = APIClient(transport: transport, base: try #require(host.sandbox))
        let calls = try #require(try await sandbox.get("/ledger").body["calls"]?.arrayValue)
        try checkOverlap(calls)
        try checkPrice(execution, calls)
        try await checkLogs(id, client)
        try await checkProbes(host.client)
        #expect(host.stop() == 0)
        await transport.shutdown()
    }

    /// The two independent steps were in flight together; the third carried both their outputs.
    private func checkOverlap(_ calls: [JSON]) throws {
        try #require(calls.count == 3)
        let numbers = calls.map { $0["sequence"]?.integerValue }
        #expect(calls[0]["overlap"]?.arrayValue?.map(\.integerValue) == [numbers[1]])
        #expect(calls[1]["overlap"]?.arrayValue?.map(\.integerValue) == [numbers[0]])
        #expect(calls[2]["overlap"] == [])
        let prompt = try #require(calls[2]["prompt"]?.text)
        #expect(prompt.contains("<market_research>") && prompt.contains("<feature_outline>"))
    }

    /// The sandbox's own count of tokens, priced by hand, is the bill to the last digit.
    private func checkPrice(_ execution: JSON, _ calls: [JSON]) throws {
        var expected = Money.zero
        for call in calls {
            let usage = try #require(call["usage"])
            let input = try #require(usage["input_tokens"]?.integerValue)
            let output = try #require(usage["output_tokens"]?.integerValue)
            // claude-sonnet-5: 2 and 10 dollars a million tokens.
            expected = try expected.adding(Money(picoDollars: input * 2_000_000 + output * 10_000_000))
        }
        #expect(expected > .zero)
        #expect(execution["total_cost"]?.stringValue == expected.description)
        let breakdown = try #require(execution["cost_breakdown"])
        #expect(breakdown["total"]?.stringValue == expected.description)
        let lines = try #require(breakdown["steps"]?.arrayValue)
        let sum = try lines.reduce(Money.zero) { sum, line in
            try sum.adding(try #require(Money(decimal: line["cost"]?.stringValue ?? "")))
        }
        #expect(lines.count == 3 && sum == expected)
    }

    private func checkLogs(_ id: String, _ client: APIClient) async throws {
        let page = try await client.get("/v1/executions/\(id)/logs").body
        let lines = try #require(page["logs"]?.arrayValue)
        #expect(lines.compactMap { $0["sequence"]?.integerValue } == Array(1...Int64(lines.count)))
        #expect(lines.contains { $0["step"] == "Launch Brief" && $0["message"] == "started" })
        #expect(lines.allSatisfy { $0["timestamp"]?.stringValue?.hasSuffix("Z") == true })
    }

    private func checkProbes(_ client: APIClient) async throws {
        #expect(try await client.get("/health").status == 200)
        #expect(try await client.get("/ready").status == 200)
        let metrics = try await client.text("/metrics")
        for name in [
            "http_requests_total", "template_executions_total", "template_executions_success_total",
            "ai_api_request_duration_seconds_bucket", "database_connections_active", "database_connections_idle",
        ] { #expect(metrics.contains(name), "\(name) is missing") }
    }

    @Test func stateIsKeptAcrossAnOrderlyRestart() async throws {
        let transport = APIClient.transport()
        let folder = try Program.folder("restart")
        let first = try HostProcess(["--sandbox"], dataDirectory: folder, transport: transport)
        let client = try await first.client.registered()
        let id = try await client.execute()
        _ = try await client.ended(id)
        #expect(first.stop() == 0)

        let second = try HostProcess(["--sandbox"], dataDirectory: folder, transport: transport)
        let same = APIClient(transport: transport, base: second.client.base, key: client.key)
        #expect(try await same.get("/v1/executions/\(id)").body["status"] == "completed")
        #expect(second.stop() == 0)
        await transport.shutdown()
    }

    @Test func aSecondHostOnTheSameFolderIsRefused() async throws {
        let transport = APIClient.transport()
        let folder = try Program.folder("lock")
        let host = try HostProcess(["--sandbox"], dataDirectory: folder, transport: transport)
        let second = try Program.run(["serve", "--sandbox", "--port", "0", "--data-dir", folder])
        #expect(second.status == 1)
        #expect(second.error.contains("another aibackend uses the data directory"))
        #expect(host.stop() == 0)
        await transport.shutdown()
    }
}

extension APIClient {
    /// Starts the template that ships with the program.
    func execute(_ product: String = "Tidewatch") async throws -> String {
        let answer = try await post(
            "/v1/templates/market-brief/execute",
            ["configuration": ["product_name": .string(product), "audience": "harbour masters"]])
        #expect(answer.status == 202, "\(answer.body.text)")
        return try #require(answer.body["execution_id"]?.stringValue)
    }
}
