import ArgumentParser
import Domain
import Engine
import Logging
import Metering
import Persistence
import ServiceLifecycle

/// Durable steps a second: chains of steps that do nothing, run by the engine on a real database.
struct Steps: AsyncParsableCommand {
    @Option(help: "URL of the database.") var url: String
    @Option(help: "Executions in flight at once.") var chains = 64
    @Option(help: "Steps of each.") var steps = 10
    @Option(help: "Executions in all.") var executions = 2_000

    func run() async throws {
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let database = try await Database.connect(url, logger: logger)
        let ledger = PostgresLedger(database)
        let fixture = try await ChainFixture(database, steps: steps)
        for _ in 0..<executions { try await fixture.admit(to: ledger) }
        var configuration = Engine.Configuration()
        configuration.maximumExecutions = chains
        let engine = Engine(
            configuration: configuration, dispatch: Nothing(), ledger: ledger, catalog: PostgresCatalog(database),
            pricing: PriceTable.builtIn, workerID: UUIDv7(at: SystemWallClock().now()), logger: logger)
        let group = ServiceGroup(services: [engine], gracefulShutdownSignals: [], logger: logger)
        let start = ContinuousClock.now
        async let running: Void = group.run()
        try await fixture.waitUntilAllHaveEnded(PostgresReader(database))
        let elapsed = ContinuousClock.now - start
        print(Int64(Double(executions * steps) * 1_000_000 / Double(elapsed.microseconds)))
        await group.triggerGracefulShutdown()
        try await running
        await database.close()
    }
}

/// A provider whose steps do nothing: what is measured is the engine and the database.
struct Nothing: Dispatch {
    let routes: [RouteKey] = [.command("nothing", provider: "bench")]

    func route(for key: RouteKey) -> Route? {
        Route(
            pluginID: "bench", pluginVersion: "1", operation: "bench.nothing", defaultModel: nil, ledgerName: "custom",
            isMetered: false)
    }

    func invoke(
        _ invocation: Invocation, onChunk: @Sendable (CallChunk) async -> Void
    ) async throws(ProviderError) -> JSON { ["done": true] }
}
