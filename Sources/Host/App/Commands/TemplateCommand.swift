import ArgumentParser
import Domain
import Engine

struct TemplateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "template", abstract: "Works with template files.", subcommands: [Validate.self])

    struct Validate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says everything that is wrong with template files, with line and column.",
            discussion: """
                The providers and commands that steps may name are those of the plugins found here.

                Example:
                  aibackend template validate templates/market-brief.yaml
                """)

        @OptionGroup var options: SettingsOptions

        @Option(help: "Folder of plugins to check providers against.")
        var plugins: String?

        @Argument(help: "Template files, YAML or JSON.")
        var files: [String]

        func run() async throws {
            try await reportingFailures {
                let settings = try options.load(with: ["plugins_dir": plugins])
                let routes = try await Plugins.routes(settings, logger: Console.logger(settings.logLevel))
                let compiler = TemplateCompiler(dispatch: routes)
                var failed = false
                for file in files {
                    do {
                        let template = try Templates.compile(file, with: compiler)
                        Console.line(
                            "\(file): \(template.slug) \(template.version), \(template.plan.steps.count) steps, valid")
                    } catch let faults as Diagnostics {
                        failed = true
                        Console.error(faults.description)
                    }
                }
                if failed { throw ExitCode(1) }
            }
        }
    }
}
