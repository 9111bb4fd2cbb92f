import ArgumentParser
import Domain

/// Durable steps a second: many chains of steps that do nothing, admitted beforehand, run by one engine.
struct Steps: AsyncParsableCommand {
    @Option(help: "URL of the database.") var url: String
    @Option(help: "Executions in flight at once.") var chains = 64
    @Option(help: "Steps of each.") var steps = 10
    @Option(help: "Executions in all.") var executions = 2_000

    func run() async throws {
        let rig = try await EngineRig(
            url: url, dispatch: NothingProvider(), definition: NothingProvider.chain(steps: steps),
            executions: executions, inFlight: chains)
        let admitted = try await admit(to: rig)
        let elapsed = try await rig.withEngine {
            let start = ContinuousClock.now
            var end = start
            var left = executions
            for await moment in rig.ledger.moments {
                guard case .ended(_, let instant) = moment else { continue }
                end = max(end, instant)
                left -= 1
                if left == 0 { break }
            }
            try await rig.verify(admitted)
            return end - start
        }
        print(Int64(Double(executions * steps) * 1_000_000 / Double(elapsed.microseconds)))
    }

    /// Several at a time, for admissions share commits too.
    private func admit(to rig: EngineRig) async throws -> [UUIDv7] {
        try await withThrowingTaskGroup(of: UUIDv7.self) { group in
            var admitted: [UUIDv7] = []
            for index in 0..<executions {
                if index >= 64, let id = try await group.next() { admitted.append(id) }
                group.addTask { try await rig.admit() }
            }
            for try await id in group { admitted.append(id) }
            return admitted
        }
    }
}
