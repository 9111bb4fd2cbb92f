import ArgumentParser
import Domain
import Outbound
import PluginHost
import Synchronization

/// Executions of one AI step, each alone on the host, whose provider is `Upstream`. Prints two medians in microseconds:
/// the call through the plugin, streamed, from the engine's request to the complete answer; and the whole metered call,
/// from the moment the engine has taken the execution until the call's row is settled and the end durable.
struct MeteredCalls: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "metered-calls")

    @Option(help: "URL of the database.") var url: String
    @Option(help: "Library of the plugin `claude`.") var library: String
    @Option(help: "What plays Anthropic: its base URL.") var upstream: String
    @Option(help: "Executions in all.") var executions = 300
    @Option(help: "Executions before the first that counts.") var warmup = 30

    func run() async throws {
        let transport = HTTPClient(logger: Bench.logger)
        let registry = PluginRegistry(
            transport: transport, blobs: NoBlobs(), clock: SystemWallClock(), logger: Bench.logger)
        let base = upstream
        _ = try await registry.load(library) { _ in
            PluginSettings(
                configuration: ["base_url": .string(base)],
                secrets: SecretScope(["ANTHROPIC_API_KEY": SecretScope.Secret("bench", uses: [.http])]))
        }
        let dispatch = TimedDispatch(registry)
        let rig = try await EngineRig(
            url: url, dispatch: dispatch, definition: Self.definition, executions: warmup + executions, inFlight: 1)
        let runs = try await rig.runAlone(executions, warmup: warmup)
        await registry.shutdown()
        await transport.shutdown()
        let calls = dispatch.durations.dropFirst(warmup)
        guard calls.count == executions else { throw ValidationError("a call was made twice or not at all") }
        print(median(Array(calls)).microseconds, median(runs.map(\.run)).microseconds)
    }

    /// One step; its request is what `upstream_call.c` sends.
    private static let definition: JSON = [
        "template": [
            "metadata": [
                "id": "bench-call", "name": "Call", "version": "1.0.0", "description": "One call of a model.",
                "category": "bench", "complexity": "beginner",
            ],
            "execution_steps": [
                [
                    "step_id": 1, "name": "Answer", "type": "ai_call", "ai_provider": "claude",
                    "prompt_template": .string(Upstream.prompt), "max_output_tokens": 4_096,
                ]
            ],
        ]
    ]
}

/// Times each call.
private final class TimedDispatch: Dispatch {
    private let dispatch: any Dispatch
    private let times = Mutex<[Duration]>([])

    init(_ dispatch: any Dispatch) { self.dispatch = dispatch }

    var durations: [Duration] { times.withLock { $0 } }
    var routes: [RouteKey] { dispatch.routes }

    func route(for key: RouteKey) -> Route? { dispatch.route(for: key) }

    func invoke(
        _ invocation: Invocation, onChunk: @Sendable (CallChunk) async -> Void
    ) async throws(ProviderError) -> JSON {
        let start = ContinuousClock.now
        let result = try await dispatch.invoke(invocation, onChunk: onChunk)
        times.withLock { $0.append(.now - start) }
        return result
    }
}
