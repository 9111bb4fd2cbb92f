import ArgumentParser
import Domain

/// Chains one after the other, each alone on the host. Prints two medians in microseconds: from the moment the
/// engine has taken the execution to its durable end, and from the request to that end.
struct LoneChain: AsyncParsableCommand {
    @Option(help: "URL of the database.") var url: String
    @Option(help: "Steps of each.") var steps = 10
    @Option(help: "Executions in all.") var executions = 200
    @Option(help: "Executions before the first that counts.") var warmup = 20

    func run() async throws {
        let rig = try await EngineRig(
            url: url, dispatch: NothingProvider(), definition: NothingProvider.chain(steps: steps),
            executions: warmup + executions, inFlight: 1)
        let chains = try await rig.runAlone(executions, warmup: warmup)
        print(median(chains.map(\.run)).microseconds, median(chains.map(\.whole)).microseconds)
    }
}
