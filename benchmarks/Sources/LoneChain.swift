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
        let rig = try await ChainRig(
            url: url, steps: steps, executions: warmup + executions, inFlight: 1)
        let chains = try await rig.withEngine {
            var moments = rig.ledger.moments.makeAsyncIterator()
            var chains: [(run: Duration, whole: Duration)] = []
            var admitted: [UUIDv7] = []
            for _ in 0..<(warmup + executions) {
                let start = ContinuousClock.now
                admitted.append(try await rig.admit())
                guard case .taken(_, let taken) = await moments.next(),
                    case .ended(_, let ended) = await moments.next()
                else { throw ValidationError("a chain was taken twice or not at all") }
                chains.append((run: ended - taken, whole: ended - start))
            }
            try await rig.verify(admitted)
            return chains.dropFirst(warmup)
        }
        print(median(chains.map(\.run)).microseconds, median(chains.map(\.whole)).microseconds)
    }

    private func median(_ durations: [Duration]) -> Duration { durations.sorted()[durations.count / 2] }
}
