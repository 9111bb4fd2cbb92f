import ArgumentParser
import Sandbox

struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox",
        abstract: "Serves the simulated providers on loopback, for trying plugins and templates.",
        discussion: """
            Point a plugin's base_url at it; every call it received is listed at /ledger.

            Example:
              aibackend sandbox --port 9900
              curl -s http://127.0.0.1:9900/ledger

            A file of faults is a JSON array of what POST /faults takes:
              [{"kind": "status", "status": 529, "times": 2}, {"provider": "railway", "kind": "build_failed"}]
            """)

    @Option(help: "Port; 0 takes a free one.")
    var port = 9900

    @Option(help: "File of faults that the first calls shall meet.")
    var faults: String?

    @Option(help: "What is logged: debug, info, notice, warning, error.")
    var logLevel = "notice"

    func run() async throws {
        try await reportingFailures {
            let folder = try TemporaryFolder("sandbox")
            defer { folder.remove() }
            try await RunningSandbox.serve(
                SandboxOptions.standard.meeting(faultsIn: faults), port: port, folder: folder.path,
                logger: Console.logger(logLevel)
            ) { address in
                Console.line("sandbox  \(address.baseURL)\nledger   \(address.ledgerURL)")
            }
        }
    }
}
