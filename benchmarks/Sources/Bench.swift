import ArgumentParser

/// What `benchmarks/run` measures of ours: one figure a call, printed alone on a line.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aibackend-bench", abstract: "One figure of the host, for benchmarks/run.",
        subcommands: [Steps.self, PluginCalls.self])
}
