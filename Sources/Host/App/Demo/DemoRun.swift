import Domain
import Foundation
import Logging
import Outbound
import Sandbox

/// The walk that `aibackend demo` takes through the API, told step by step.
struct DemoRun: Sendable {
    private let system: System
    private let transport: HTTPClient

    init(_ system: System) {
        self.system = system
        transport = HTTPClient(logger: Console.logger("error"))
    }

    func run(keepsServing: Bool) async throws {
        do {
            try await walk(keepsServing: keepsServing)
            await transport.shutdown()
        } catch {
            await transport.shutdown()
            throw error
        }
    }

    private func walk(keepsServing: Bool) async throws {
        var client = APIClient(transport: transport, base: system.apiURL)
        say("\n1. Register: POST /v1/auth/register")
        let account = try await client.post(
            "/v1/auth/register", ["email": "demo@example.com", "password": "a-demo-password"])
        guard account.status == 201, let key = account.body["api_key"]?.stringValue else { throw refused(account) }
        client.key = key
        say("   201, user \(account.body["user_id"]?.stringValue ?? "?")")

        say("\n2. Execute: POST /v1/templates/market-brief/execute")
        let inputs: JSON = ["product_name": "Tidewatch", "audience": "harbour masters of small marinas"]
        say("   configuration \(inputs.text)")
        let admitted = try await client.post("/v1/templates/market-brief/execute", ["configuration": inputs])
        guard admitted.status == 202, let id = admitted.body["execution_id"]?.stringValue else {
            throw refused(admitted)
        }
        say("   202, execution \(id)")

        say("\n3. Watch: GET /v1/executions/\(id)/logs")
        let execution = try await watch(id, client)
        guard execution["status"]?.stringValue == "completed" else {
            throw StartFailure(
                "the run ended as \(execution["status"]?.text ?? "?"): \(execution["error"]?.text ?? "")")
        }
        say("\n4. Result: GET /v1/executions/\(id)")
        show(execution)
        try await showOverlap()
        guard keepsServing else {
            say("\nTo look further: aibackend demo --keep, then for example")
            say("   curl -s -H \"X-API-Key: $KEY\" http://127.0.0.1:PORT/v1/executions/\(id)")
            return
        }
        say("\nServing on until Ctrl-C. To look further:")
        say("   curl -s -H 'X-API-Key: \(key)' \(system.apiURL)/v1/executions/\(id)")
        if let sandbox = system.sandbox { say("   curl -s \(sandbox.ledgerURL)") }
        say("   curl -s \(system.apiURL)/metrics")
    }

    private func say(_ text: String) { Console.line(text) }

    private func refused(_ answer: APIClient.Answer) -> StartFailure {
        StartFailure("the API answered \(answer.status): \(answer.body.text)")
    }

    /// Prints log lines as they come until the execution has ended; answers its final state.
    private func watch(_ id: String, _ client: APIClient) async throws -> JSON {
        var last: Int64 = 0
        while true {
            let execution = try await client.get("/v1/executions/\(id)").body
            let page = try await client.get("/v1/executions/\(id)/logs?after=\(last)")
            for line in page.body["logs"]?.arrayValue ?? [] {
                last = line["sequence"]?.integerValue ?? last
                let time = line["timestamp"]?.stringValue.map { String($0.dropFirst(11).prefix(12)) } ?? ""
                let step = line["step"]?.stringValue.map { "\($0): " } ?? ""
                let progress = execution["progress_percentage"]?.integerValue.map { "\($0)%" } ?? ""
                say("   \(time)  \(progress.padding(to: 4))  \(step)\(line["message"]?.stringValue ?? "")")
            }
            let isMore = page.body["has_more"]?.boolValue ?? false
            if !isMore, ["completed", "failed", "cancelled"].contains(execution["status"]?.stringValue) {
                return execution
            }
            if !isMore { try await Task.sleep(for: .milliseconds(100)) }
        }
    }

    private func show(_ execution: JSON) {
        let brief = execution["result"]?["launch_brief"]
        say("   \(brief?["summary"]?.stringValue ?? "?")")
        for file in brief?["files"]?.arrayValue ?? [] {
            say("\n   \(file["path"]?.stringValue ?? "?")")
            for line in (file["content"]?.stringValue ?? "").split(separator: "\n").prefix(7) { say("   │ \(line)") }
            say("   │ …")
        }
        say("\n   cost, to the last digit")
        for line in execution["cost_breakdown"]?["steps"]?.arrayValue ?? [] {
            let step = (line["step"]?.stringValue ?? "?").padding(to: 20)
            say("      \(step) \(line["model"]?.stringValue ?? "")  \(line["cost"]?.stringValue ?? "?") USD")
        }
        say("      \("total".padding(to: 20)) \(execution["total_cost"]?.stringValue ?? "?") USD")
    }

    /// What the simulated provider saw: which calls it held at the same time.
    private func showOverlap() async throws {
        guard let sandbox = system.sandbox else { return }
        let ledger = try await APIClient(transport: transport, base: sandbox.baseURL).get("/ledger").body
        say("\n5. The provider's side: GET \(sandbox.ledgerURL)")
        for call in ledger["calls"]?.arrayValue ?? [] {
            let overlap = (call["overlap"]?.arrayValue ?? []).map(\.text).joined(separator: ", ")
            let tokens =
                "\(call["usage"]?["input_tokens"]?.text ?? "?") tokens in, "
                + "\(call["usage"]?["output_tokens"]?.text ?? "?") out"
            say(
                "   call \(call["sequence"]?.text ?? "?")  \(call["model"]?.stringValue ?? "")  \(tokens)"
                    + "  at the same time as \(overlap.isEmpty ? "none" : "call \(overlap)")")
        }
    }
}
