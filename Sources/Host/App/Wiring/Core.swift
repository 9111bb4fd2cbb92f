import CoreProvider
import Domain

/// The host's own provider, as this installation can offer it.
enum Core {
    /// The routing table for commands that look at templates and run none.
    static func described(over plugins: any Dispatch, _ settings: Settings) -> CoreDispatch {
        CoreDispatch(
            over: plugins,
            core: CoreProvider(
                version: AIBackend.version, databases: settings.appDatabaseURL == nil ? nil : Absent(),
                monitors: Absent()))
    }

    /// Stands where nothing is carried out.
    private struct Absent: ApplicationDatabases, MonitorStore {
        private var refusal: ApplicationDatabaseError {
            ApplicationDatabaseError("this command makes no database", isRetryable: false)
        }
        private var closed: LedgerError { LedgerError(.unavailable, "this command has no database") }

        func create(_ name: String) async throws(ApplicationDatabaseError) -> String { throw refusal }
        func exists(_ name: String) async throws(ApplicationDatabaseError) -> Bool { throw refusal }
        func drop(_ name: String) async throws(ApplicationDatabaseError) { throw refusal }
        func start(_ monitor: HealthMonitor) async throws(LedgerError) { throw closed }
        func isMonitored(_ execution: UUIDv7) async throws(LedgerError) -> Bool { throw closed }
        func stop(execution: UUIDv7) async throws(LedgerError) { throw closed }
        func takeDue(limit: Int) async throws(LedgerError) -> [HealthMonitor] { throw closed }
        func record(_ result: ProbeResult, of monitor: HealthMonitor) async throws(LedgerError) { throw closed }
    }
}
