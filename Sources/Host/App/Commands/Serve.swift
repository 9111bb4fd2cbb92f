import ArgumentParser
import Domain

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

    func run() async throws {
        try await reportingFailures {
            guard sandbox || faults == nil else {
                throw StartFailure("--faults is for the sandbox alone; add --sandbox, or leave it out")
            }
            let options = sandbox ? try SandboxOptions.standard.meeting(faultsIn: faults) : nil
            let settings = try self.options.load(with: [
                "listen.port": port.map { "\($0)" }, "templates_dir": templates, "plugins_dir": plugins,
            ])
            try await System.run(settings, sandbox: options) { system in
                Console.line(system.summary)
                return .keepServing
            }
        }
    }
}
