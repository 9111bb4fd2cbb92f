import ArgumentParser
import Domain
import Foundation
import Sandbox
import ServiceLifecycle
import UnixSignals

/// The provider of the metered calls: the sandbox without its delays, in a process of its own. Prints its base URL for
/// Anthropic's API once it listens, and serves until SIGTERM.
struct Upstream: AsyncParsableCommand {
    static let prompt = "Describe the harbour at dawn."

    func run() async throws {
        let sentence = "Light comes over the breakwater first, then over the boats; the tide moves before anyone does. "
        let fixture = AnswerFixtures.Fixture(
            match: .contains(Self.prompt), summary: String(repeating: sentence, count: 42))
        let sandbox = try Sandbox(
            configuration: Sandbox.Configuration(latency: .none), fixtures: AnswerFixtures([fixture]),
            logger: Bench.logger)
        let services = ServiceGroup(
            services: [sandbox], gracefulShutdownSignals: [.sigterm, .sigint], logger: Bench.logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            let base = try await sandbox.waitUntilListening().anthropicBaseURL
            FileHandle.standardOutput.write(Data((base + "\n").utf8))
            try await group.waitForAll()
        }
    }
}
