import Domain
import Foundation
import Logging
import Outbound
import Sandbox
import Testing

@testable import App

/// `kill -9` of the host while the provider lives on: what was finished stays, what was not is done again, once.
@Suite(.serialized) struct CrashTests {
    /// What the prompts of the template's steps begin with, by which the sandbox's gates hold their calls.
    private static let (research, outline, brief) = (
        "Research the market for", "Outline the first release of", "Write the launch brief for"
    )

    @Test func killedDuringAndBetweenStepsTheRunCompletesAndNoFinishedStepRunsTwice() async throws {
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let sandbox = try Sandbox(configuration: .init(latency: .none), logger: logger)
        let transport = APIClient.transport()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await sandbox.run() }
            let address = try await sandbox.waitUntilListening()
            let provider = APIClient(transport: transport, base: address.baseURL)
            try await crash(provider, address, transport)
            group.cancelAll()
        }
        await transport.shutdown()
    }

    private func crash(_ provider: APIClient, _ address: SandboxAddress, _ transport: HTTPClient) async throws {
        let folder = try Program.folder("crash")
        let settings = folder + "/aibackend.yaml"
        try "plugins:\n  claude:\n    base_url: \(address.anthropicBaseURL)\n"
            .write(toFile: settings, atomically: true, encoding: .utf8)
        func start() throws -> HostProcess {
            try HostProcess(
                ["--config", settings], dataDirectory: folder + "/data",
                environment: ["ANTHROPIC_API_KEY": "sk-sandbox-key"],
                transport: transport)
        }
        let first = try start()
        let client = try await first.client.registered()

        // During steps: both of the parallel steps are at the provider.
        let outlineGate = try await provider.gate(Self.outline)
        let briefGate = try await provider.gate(Self.brief)
        let id = try await client.execute()
        try await provider.waitForCalls { $0.count { $0["finished_at"]?.isNull == false } == 1 && $0.count == 2 }
        // The first is durable once the API says that one step is done.
        while try await client.get("/v1/executions/\(id)").body["completed_steps"] != 1 { await Task.yield() }
        first.kill()

        // Between steps: the second run finishes the outline; the brief waits at its gate and is killed there.
        try await provider.release(outlineGate)
        let second = try start()
        try await provider.waitForCalls { $0.contains { $0["prompt"]?.text.contains(Self.brief) == true } }
        second.kill()
        try await provider.release(briefGate)

        let third = try start()
        let survivor = APIClient(transport: transport, base: third.client.base, key: client.key)
        let execution = try await survivor.ended(id)
        #expect(execution["status"] == "completed", "\(execution.text)")
        try await check(execution, try await provider.calls())
        #expect(third.stop() == 0)
    }

    private func check(_ execution: JSON, _ calls: [JSON]) async throws {
        // The brief carries the other two's answers as context, and with them their words.
        func count(_ step: String) -> Int {
            calls.count { call in
                let prompt = call["prompt"]?.text ?? ""
                return prompt.contains(step) && (step == Self.brief || !prompt.contains(Self.brief))
            }
        }
        // Finished before the first kill: asked once. Cut by a kill: asked again, once.
        #expect(count(Self.research) == 1)
        #expect(count(Self.outline) == 2)
        #expect(count(Self.brief) == 2)
        let lines = try #require(execution["cost_breakdown"]?["steps"]?.arrayValue)
        // One row a call that reached the provider: three settled, two unknown.
        #expect(lines.compactMap { $0["calls"]?.integerValue }.reduce(0, +) == 5)
        #expect(Set(calls.compactMap { $0["call_id"]?.stringValue }).count == 5)
    }
}

extension APIClient {
    func calls() async throws -> [JSON] { try await get("/ledger").body["calls"]?.arrayValue ?? [] }

    /// Polls the sandbox's ledger until it is as the test wants it.
    func waitForCalls(_ condition: ([JSON]) -> Bool) async throws {
        while !condition(try await calls()) { await Task.yield() }
    }

    /// Has the sandbox hold calls whose prompt contains the text.
    func gate(_ match: String) async throws -> String {
        let answer = try await post("/gates", ["provider": "anthropic", "match": .string(match)])
        return try #require(answer.body["id"]?.text, "\(answer.body.text)")
    }

    func release(_ gate: String) async throws {
        let answer = try await delete("/gates/\(gate.filter { $0 != "\"" })")
        #expect((200..<300).contains(answer))
    }
}
