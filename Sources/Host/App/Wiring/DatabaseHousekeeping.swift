import Logging
import Persistence
import ServiceLifecycle

/// What the database needs from time to time, done by the hosts themselves: no extension, no cron. Each task may
/// run on several hosts at once.
struct DatabaseHousekeeping: Service {
    private let housekeeping: Housekeeping
    private let logger: Logger

    init(_ database: Database, logger: Logger) {
        housekeeping = Housekeeping(database)
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while true {
                do {
                    try await housekeeping.ensureCallPartitions()
                    try await housekeeping.refreshUsageSummary()
                    try await housekeeping.removeDeadWorkers()
                } catch {
                    logger.warning("housekeeping failed; tried again in an hour", metadata: ["error": "\(error)"])
                }
                do { try await Task.sleep(for: .seconds(3_600)) } catch { return }
            }
        }
    }
}
