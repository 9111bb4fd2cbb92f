import ArgumentParser
import Logging

/// What `benchmarks/run` measures of ours: one measurement a call, its figures on one line.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aibackend-bench", abstract: "One measurement of the host, for benchmarks/run.",
        subcommands: [Steps.self, LoneChain.self, MeteredCalls.self, PluginCalls.self, Upstream.self])

    static var logger: Logger { Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() } }
}
