import ArgumentParser
import Domain
import Logging
import Outbound
import Persistence
import PluginHost

/// Round trips a second through the plugin boundary: one in-process plugin that completes at once.
struct PluginCalls: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "plugin-calls")

    @Option(help: "The plugin's library.") var library: String
    @Option(help: "Its `ai_provider`.") var provider = "echo_c"
    @Option(help: "Calls in all.") var calls = 100_000
    @Option(help: "Calls in flight at once.") var concurrency = 1

    func run() async throws {
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let transport = HTTPClient(logger: logger)
        let registry = PluginRegistry(
            transport: transport, blobs: try FileBlobStore(directory: "/tmp/aibackend-bench-blobs"),
            clock: SystemWallClock(), logger: logger)
        _ = try await registry.load(library) { _ in PluginSettings(configuration: [:], secrets: .none) }
        guard let route = registry.route(for: .aiProvider(provider)) else {
            throw ValidationError("\(library) does not serve \(provider)")
        }
        let input: JSON = ["messages": [["role": "user", "content": "hello"]], "max_output_tokens": 16]
        let share = calls / concurrency
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<concurrency {
                group.addTask {
                    for _ in 0..<share {
                        let now = SystemWallClock().now()
                        let invocation = Invocation(
                            route: route, callID: UUIDv7(at: now), input: input, tenant: "bench", attempt: 1,
                            idempotencyKey: "bench", deadline: now.advanced(by: .seconds(60)))
                        _ = try await registry.invoke(invocation) { _ in }
                    }
                }
            }
            try await group.waitForAll()
        }
        let elapsed = ContinuousClock.now - start
        print(Int64(Double(share * concurrency) * 1_000_000 / Double(elapsed.microseconds)))
        await registry.shutdown()
        await transport.shutdown()
    }
}
