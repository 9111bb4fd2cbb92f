import Domain
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
                await attempt("partitions of calls") { () throws(LedgerError) in
                    try await housekeeping.ensureCallPartitions()
                }
                await attempt("usage summary") { () throws(LedgerError) in
                    try await housekeeping.refreshUsageSummary()
                }
                await attempt("dead workers") { () throws(LedgerError) in
                    try await housekeeping.removeDeadWorkers()
                }
                do { try await Task.sleep(for: .seconds(3_600)) } catch { return }
            }
        }
    }

    /// One task's failure is no reason to leave the next one undone.
    private func attempt(_ task: String, _ body: () async throws(LedgerError) -> Void) async {
        do throws(LedgerError) { try await body() } catch {
            logger.warning(
                "housekeeping failed; tried again in an hour", metadata: ["task": "\(task)", "error": "\(error)"])
        }
    }
}
