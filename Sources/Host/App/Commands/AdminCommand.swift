import API
import ArgumentParser
import Domain
import Persistence

struct AdminCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin", abstract: "Manages administrators.", subcommands: [Create.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Creates an administrator and prints the API key, once.",
            discussion: """
                There is no default password: this is how the first administrator comes to be.

                Example:
                  aibackend admin create ops@example.com
                """)

        @OptionGroup var options: SettingsOptions

        @Argument(help: "The administrator's email address.")
        var email: String

        func run() async throws {
            try await reportingFailures {
                let settings = try options.load()
                try await Storage.with(settings, logger: Console.logger(settings.logLevel)) { storage in
                    _ = try await Migrator(storage.database).migrate()
                    let key = try await storage.createAdministrator(email: email)
                    Console.line("X-API-Key: \(key)")
                    Console.error("Keep this key now: it is stored as a hash and not shown again.")
                }
            }
        }
    }
}
