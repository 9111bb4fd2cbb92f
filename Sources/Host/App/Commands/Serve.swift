import ArgumentParser
import Domain
import Sandbox

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serves the API and runs executions until it is stopped.",
        discussion: """
            Ctrl-C or SIGTERM drains: steps in flight may finish for a while, the rest goes on at the next start.

            Examples:
              aibackend serve
              aibackend serve --sandbox --port 8000 --data-dir ./state --templates ./templates
            """)

    @OptionGroup var options: SettingsOptions

    @Option(help: "Port of the API; 0 takes a free one (default: 8000).")
    var port: Int?

    @Option(help: "Folder of templates to register.")
    var templates: String?

    @Option(help: "Folder of plugins to load.")
    var plugins: String?

    @Flag(help: "Put the sandbox behind the plugins: no key, no network, no money.")
    var sandbox = false

    @Option(help: "File of faults that the sandbox's first calls shall meet (with --sandbox).")
    var faults: String?

    @Option(
        help: ArgumentHelp(
            "How long a model of the sandbox thinks before it answers, from 0 to 600000.", valueName: "milliseconds"))
    var sandboxLatency: Int?

    func validate() throws {
        guard let sandboxLatency else { return }
        guard sandbox else { throw ValidationError("--sandbox-latency goes with --sandbox only") }
        guard (0...600_000).contains(sandboxLatency) else {
            throw ValidationError("--sandbox-latency is \(sandboxLatency); it may be 0 to 600000 milliseconds")
        }
    }

    func run() async throws {
        try await reportingFailures {
            guard sandbox || faults == nil else {
                throw StartFailure("--faults is for the sandbox alone; add --sandbox, or leave it out")
            }
            var simulators = sandbox ? try SandboxOptions.standard.meeting(faultsIn: faults) : nil
            if let sandboxLatency { simulators?.latency.initial = .milliseconds(sandboxLatency) }
            let settings = try options.load(with: [
                "listen.port": port.map { "\($0)" }, "templates_dir": templates, "plugins_dir": plugins,
            ])
            try await System.run(settings, sandbox: simulators) { system in
                Console.line(system.summary)
                return .keepServing
            }
        }
    }
}
