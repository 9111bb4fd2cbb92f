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
    let assembly: Assembly

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
        try await withSandbox(sandbox, settings, logger: logger) { sandbox in
            try await Storage.with(settings, keepsData: true, worker: worker, logger: logger) { storage in
                try await serve(
                    storage, worker: worker, metrics: metrics, sandbox: sandbox, logger: logger, body)
            }
        }
    }

    /// Runs `body` with the sandbox beside it, where one is wanted.
    private static func withSandbox(
        _ options: SandboxOptions?, _ settings: Settings, logger: Logger,
        _ body: (RunningSandbox?) async throws -> Void
    ) async throws {
        guard let options else { return try await body(nil) }
        let folder = File.absolute(settings.dataDirectory) + "/sandbox"
        try await RunningSandbox.with(options, folder: folder, logger: logger) { try await body($0) }
    }

    /// What follows `body`.
    enum Continuation: Sendable { case keepServing, stop }

    /// What a run of a template would do and cost, for a person to read.
    func plan(_ slug: String, _ configuration: JSON) async throws -> String {
        guard let source = try await assembly.catalog.source(of: slug) else {
            throw StartFailure("the template \(slug) is not registered")
        }
        let template = try TemplateCompiler(dispatch: assembly.dispatch).compile(source)
        let estimate = try RunEstimate(
            of: template, configuration: try ConfigurationValidator.validate(configuration, against: template.inputs),
            dispatch: assembly.dispatch, pricing: assembly.prices, at: SystemWallClock().now())
        return PlanText.text(of: estimate, template: template)
    }
}
