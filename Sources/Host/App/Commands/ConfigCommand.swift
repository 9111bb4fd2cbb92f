import ArgumentParser
import Domain

struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Works with the configuration.", subcommands: [Check.self])

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Checks the configuration and shows each setting with its source; secrets are not shown.",
            discussion: """
                Example:
                  aibackend config check --config aibackend.yaml
                """)

        @OptionGroup var options: SettingsOptions

        func run() async throws {
            try await reportingFailures {
                let settings = try options.load()
                let width = Setting.all.map(\.key.count).max() ?? 0
                for setting in Setting.all {
                    let key = setting.key.padding(to: width)
                    guard let value = settings.values[setting.key] else {
                        Console.line("\(key)  (not set)   \(setting.help) [\(setting.variable)]")
                        continue
                    }
                    Console.line("\(key)  \(setting.isSecret ? "(secret)" : value.text)   from \(value.origin)")
                }
                for (id, configuration) in settings.plugins.sorted(by: { $0.key < $1.key }) {
                    Console.line("plugins.\(id)  \(configuration.text)")
                }
            }
        }
    }
}

extension String {
    func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
