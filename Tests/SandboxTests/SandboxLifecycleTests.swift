import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import ServiceLifecycle
import Testing

@testable import Sandbox

@Suite(.timeLimit(.minutes(1))) struct SandboxLifecycleTests {
    static func sandbox(port: Int = 0, hostname: String = "127.0.0.1") throws -> Sandbox {
        var logger = Logger(label: "sandbox-tests")
        logger.logLevel = .error
        return try Sandbox(
            configuration: .init(port: port, hostname: hostname, latency: .none), logger: logger)
    }

    @Test(arguments: [
        "0.0.0.0", "192.0.2.1", "example.com", "", "::", "127.0.0", "128.0.0.1", "127.0.0.1.", "127.0.0.+1",
    ])
    func refusesAddressesBeyondLoopback(host: String) {
        #expect(throws: SandboxError.addressNotLoopback(host)) { try Self.sandbox(hostname: host) }
    }

    @Test(arguments: ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
    func takesLoopbackAddresses(host: String) {
        #expect(throws: Never.self) { try Self.sandbox(hostname: host) }
    }

    @Test func refusesImpossiblePorts() {
        #expect(throws: SandboxError.portOutOfRange(70_000)) { try Self.sandbox(port: 70_000) }
    }

    @Test func tellsItsAddressServesAndEndsGracefullyWithCallsHeld() async throws {
        let sandbox = try Self.sandbox()
        let group = ServiceGroup(
            services: [sandbox], logger: Logger(label: "sandbox-tests") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let address = try await sandbox.waitUntilListening()
            #expect(address.port > 0)
            #expect(address.anthropicBaseURL == "http://127.0.0.1:\(address.port)/anthropic")
            #expect(address.openAIBaseURL == "http://127.0.0.1:\(address.port)/openai")
            #expect(address.ledgerURL == "http://127.0.0.1:\(address.port)/ledger")
            try await TestClient.withClient(host: address.host, port: address.port) { control in
                try await TestClient.withClient(host: address.host, port: address.port) { held in
                    let gate = try await control.post("/gates", body: ByteBuffer(string: "{}"))
                    #expect(gate.status == .created)
                    async let response = held.post(
                        SandboxClient.messages, headers: SandboxClient.fields(SandboxClient.goodHeaders),
                        body: ByteBuffer(bytes: body().bytes))
                    _ = try await control.get("/gates/1?held=1")
                    await group.triggerGracefulShutdown()
                    let status = try await response.status
                    #expect(status == .ok, "a held call is answered before the end")
                }
            }
            try await tasks.waitForAll()
        }
        await #expect(throws: SandboxError.notListening) { try await sandbox.waitUntilListening() }
    }

    @Test func aPortThatIsTakenIsReportedToWhoeverWaits() async throws {
        let first = try Self.sandbox()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await first.run() }
            let second = try Self.sandbox(port: try await first.waitUntilListening().port)
            tasks.addTask { await #expect(throws: (any Error).self) { try await second.run() } }
            await #expect(throws: (any Error).self) { try await second.waitUntilListening() }
            tasks.cancelAll()
            while let result = await tasks.nextResult() { _ = result }
        }
    }

    @Test func waitingForAnAddressCanBeCancelled() async throws {
        let sandbox = try Self.sandbox()
        let waiting = Task { try await sandbox.waitUntilListening() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }
}
