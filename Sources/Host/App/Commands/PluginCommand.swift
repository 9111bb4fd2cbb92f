import ArgumentParser

struct PluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin", abstract: "Works with plugins.", subcommands: [List.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the plugins found, what each serves, and why one is refused.",
            discussion: """
                Example:
                  aibackend plugin list --plugins ./plugins
                """)

        @OptionGroup var options: SettingsOptions

        @Option(help: "Folder of plugins.")
        var plugins: String?

        func run() async throws {
            try await reportingFailures {
                let settings = try options.load(with: ["plugins_dir": plugins])
                let found = try await Plugins.list(settings, logger: Console.logger(settings.logLevel))
                for line in found.lines { Console.line(line) }
                if found.hasRefusals { throw ExitCode(1) }
            }
        }
    }
}
