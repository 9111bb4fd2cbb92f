import ArgumentParser
import Domain

struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs the whole system once and shows what happens: no key, no network, nothing left running.",
        discussion: """
            A private PostgreSQL, the host, its plugins and the sandbox start in a temporary folder; a client
            registers, executes the template saas-starter, and gets an application that runs, its repository, its
            credentials and its exact price.

            Examples:
              aibackend demo
              aibackend demo --keep --port 8000     goes on serving until Ctrl-C
            """)

    @Flag(help: "Go on serving when the run is done.")
    var keep = false

    @Option(help: "Port of the API; 0 takes a free one.")
    var port = 0

    func run() async throws {
        try await reportingFailures {
            let folder = try TemporaryFolder("demo")
            defer { folder.remove() }
            var settings = Settings.standard
            settings.set("data_dir", folder.path)
            settings.set("listen.port", "\(port)")
            settings.set("log_level", "error")
            let keep = keep
            Console.line("Starting a private PostgreSQL, the host, its plugins and the sandbox …")
            try await System.run(settings, sandbox: .lifelike) { system in
                Console.line(system.summary)
                try await DemoRun(system).run(keepsServing: keep)
                return keep ? .keepServing : .stop
            }
            if !keep { Console.line("Stopped; nothing is left running.") }
        }
    }
}
