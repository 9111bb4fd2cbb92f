import API
import Domain
import Engine
import Hummingbird
import Logging
import Metering
import Metrics
import Outbound
import Persistence
import PluginHost
import Sandbox
import ServiceLifecycle
import UnixSignals

/// The whole system of one process, up and listening.
struct System: Sendable {
    let settings: Settings
    let port: Int
    let sandbox: SandboxAddress?
    let plugins: [PluginDescription]
    let refusals: [PluginRefusal]
    let templateCount: Int
    let templateFaults: [Diagnostics]
    let isDatabasePrivate: Bool

    var apiURL: String { "http://\(settings.host.contains(":") ? "[\(settings.host)]" : settings.host):\(port)" }

    /// What an operator wants to see once it is up.
    var summary: String {
        var lines = ["aibackend \(AIBackend.version)", "  api        \(apiURL)"]
        lines.append("  database   \(isDatabasePrivate ? "private, in \(settings.dataDirectory)" : "DATABASE_URL")")
        let names = plugins.map { "\($0.id) \($0.version)" }.joined(separator: ", ")
        lines.append("  plugins    \(names.isEmpty ? "none" : names)")
        lines.append("  templates  \(templateCount) registered")
        if let sandbox { lines.append("  sandbox    \(sandbox.baseURL)  (ledger: \(sandbox.ledgerURL))") }
        for refusal in refusals { lines.append("  refused    \(refusal)") }
        for fault in templateFaults { lines.append("  refused    \(fault)") }
        return lines.joined(separator: "\n")
    }

    /// Brings everything up in order, runs `body` beside it, and takes everything down again: on SIGINT or SIGTERM,
    /// or when `body` answers `.stop` or throws.
    static func run(
        _ settings: Settings, sandbox: SandboxOptions?,
        _ body: @escaping @Sendable (System) async throws -> Continuation
    ) async throws {
        let logger = Console.logger(settings.logLevel)
        let worker = UUIDv7(at: SystemWallClock().now())
        // Before anything that counts is made.
        let metrics = PrometheusRegistry()
        MetricsSystem.bootstrap(metrics)
        try await withSandbox(sandbox, logger: logger) { address in
            try await Storage.with(settings, keepsData: true, worker: worker, logger: logger) { storage in
                try await serve(
                    storage, worker: worker, metrics: metrics, sandbox: address, logger: logger, body)
            }
        }
    }

    /// Runs `body` with the sandbox beside it, where one is wanted.
    private static func withSandbox(
        _ options: SandboxOptions?, logger: Logger, _ body: (SandboxAddress?) async throws -> Void
    ) async throws {
        guard let options else { return try await body(nil) }
        let server = try options.makeSandbox(logger: logger)
        // It hears no signal: it stops when everything that calls it has stopped.
        let services = ServiceGroup(services: [server], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            let address = try await server.waitUntilListening()
            do { try await body(address) } catch {
                await services.triggerGracefulShutdown()
                throw error
            }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
        }
    }

    /// What follows `body`.
    enum Continuation: Sendable { case keepServing, stop }

    /// Serves the sandbox alone until it is stopped.
    static func runSandbox(
        port: Int, logger: Logger, ready: @escaping @Sendable (SandboxAddress) -> Void
    ) async throws {
        let server = try SandboxOptions.standard.makeSandbox(port: port, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { ready(try await server.waitUntilListening()) }
            let services = ServiceGroup(
                services: [server], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
            try await services.run()
        }
    }
}

/// How the sandbox behaves beside a host.
struct SandboxOptions: Sendable {
    var latency = Latency()

    /// As quick as the machine is.
    static let standard = SandboxOptions()
    /// Slow enough to be watched.
    static let lifelike = SandboxOptions(latency: Latency(initial: .milliseconds(400), perChunk: .milliseconds(40)))

    /// A sandbox that gives the answers that ship with the templates, on any port.
    func makeSandbox(port: Int = 0, logger: Logger) throws -> Sandbox {
        try Sandbox(
            configuration: Sandbox.Configuration(port: port, latency: latency), fixtures: Installation.answers(),
            logger: logger)
    }
}
