import ArgumentParser
import Domain
import Outbound
import Persistence
import PluginHost

/// Round trips through the plugin boundary: one in-process plugin that completes at once. Prints nanoseconds a call,
/// over all calls in flight together.
struct PluginCalls: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "plugin-calls")

    @Option(help: "The plugin's library.") var library: String
    @Option(help: "Its `ai_provider`.") var provider = "echo_c"
    @Option(help: "Calls in all.") var calls = 50_000
    @Option(help: "Calls in flight at once.") var concurrency = 1

    func run() async throws {
        let transport = HTTPClient(logger: Bench.logger)
        let registry = PluginRegistry(
            transport: transport, blobs: NoBlobs(), clock: SystemWallClock(), logger: Bench.logger)
        _ = try await registry.load(library) { _ in PluginSettings(configuration: [:], secrets: .none) }
        guard let route = registry.route(for: .aiProvider(provider)) else {
            throw ValidationError("\(library) does not serve \(provider)")
        }
        try await call(registry, route, times: calls / 10)
        let start = ContinuousClock.now
        try await call(registry, route, times: calls)
        let elapsed = ContinuousClock.now - start
        print(elapsed.microseconds * 1_000 / Int64(calls))
        await registry.shutdown()
        await transport.shutdown()
    }

    private func call(_ registry: PluginRegistry, _ route: Route, times: Int) async throws {
        let input: JSON = ["messages": [["role": "user", "content": "hello"]], "max_output_tokens": 16]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<concurrency {
                let share = times / concurrency + (task < times % concurrency ? 1 : 0)
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
    }
}
