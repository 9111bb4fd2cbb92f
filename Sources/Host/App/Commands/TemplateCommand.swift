import ArgumentParser
import Domain
import Engine

struct TemplateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "template", abstract: "Works with template files.", subcommands: [Validate.self, Plan.self])

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
                let logger = Console.logger(settings.logLevel)
                let failed = try await Plugins.withLoaded(settings, standsIn: true, logger: logger) {
                    for refusal in $1 { Console.error("\(refusal)") }
                    return validate(files, with: TemplateCompiler(dispatch: Core.described(over: $0, settings)))
                }
                if failed { throw ExitCode(1) }
            }
        }

        /// Says what is wrong with each file; answers whether anything is.
        private func validate(_ files: [String], with compiler: TemplateCompiler) -> Bool {
            var failed = false
            for file in files {
                do {
                    let template = try Templates.compile(file, with: compiler)
                    let steps = template.plan.steps.count
                    Console.line("\(file): \(template.slug) \(template.version), \(steps) steps, valid")
                } catch {
                    failed = true
                    Console.error(error.description)
                }
            }
            return failed
        }
    }
}
