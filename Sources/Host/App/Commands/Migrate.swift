import ArgumentParser
import Persistence

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Brings the database to this version's schema.",
        discussion: """
            `serve` does it too; this is for operators who migrate before they roll out.

            Example:
              DATABASE_URL=postgresql://aibackend@db/aibackend aibackend migrate
            """)

    @OptionGroup var options: SettingsOptions

    @Flag(help: "Only list what would be applied.")
    var dryRun = false

    func run() async throws {
        try await reportingFailures {
            let settings = try options.load()
            try await Storage.with(settings, logger: Console.logger(settings.logLevel)) { storage in
                let migrator = Migrator(storage.database)
                let steps = dryRun ? try await migrator.pending() : try await migrator.migrate()
                if steps.isEmpty { Console.line("the schema is up to date") }
                for step in steps { Console.line("\(dryRun ? "pending" : "applied")  \(step.number) \(step.name)") }
            }
        }
    }
}
