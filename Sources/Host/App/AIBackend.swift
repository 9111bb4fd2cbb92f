import ArgumentParser

/// The program: one command for each thing an operator does.
@main
struct AIBackend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aibackend",
        abstract: "Turns a template into a running, billed, monitored application.",
        discussion: """
            Examples:
              aibackend demo                             the whole system once, without a key
              aibackend serve --sandbox --port 8000      the whole system on loopback, AI calls simulated
              ANTHROPIC_API_KEY_FILE=key aibackend serve the real provider

            Settings come from aibackend.yaml, above it the environment, above that the command line;
            `aibackend config check` shows each with its source.
            """,
        version: version,
        subcommands: [
            Serve.self, Demo.self, Migrate.self, SandboxCommand.self, TemplateCommand.self, PluginCommand.self,
            AdminCommand.self, ConfigCommand.self,
        ])

    static let version = "0.1.0"
}
