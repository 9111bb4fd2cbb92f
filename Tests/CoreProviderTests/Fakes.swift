import Domain
import Synchronization

@testable import CoreProvider

/// Databases in memory.
final class FakeDatabases: ApplicationDatabases {
    let names = Mutex<Set<String>>([])
    let error = Mutex<ApplicationDatabaseError?>(nil)

    func create(_ name: String) async throws(ApplicationDatabaseError) -> String {
        if let error = error.withLock({ $0 }) { throw error }
        names.withLock { _ = $0.insert(name) }
        return "postgresql://\(name)"
    }

    func exists(_ name: String) async throws(ApplicationDatabaseError) -> Bool { names.withLock { $0.contains(name) } }
    func drop(_ name: String) async throws(ApplicationDatabaseError) { names.withLock { _ = $0.remove(name) } }
}

/// Monitors in memory; each is due once.
final class FakeMonitors: MonitorStore {
    struct State {
        var monitors: [HealthMonitor] = []
        var due: [HealthMonitor] = []
        var results: [(name: String, result: ProbeResult)] = []
    }

    let state = Mutex(State())

    func start(_ monitor: HealthMonitor) async throws(LedgerError) {
        state.withLock { state in
            state.monitors.append(monitor)
            state.due.append(monitor)
        }
    }

    func isMonitored(_ execution: UUIDv7) async throws(LedgerError) -> Bool {
        state.withLock { $0.monitors.contains { $0.executionID == execution } }
    }

    func stop(execution: UUIDv7) async throws(LedgerError) {
        state.withLock { $0.monitors.removeAll { $0.executionID == execution } }
    }

    func takeDue(limit: Int) async throws(LedgerError) -> [HealthMonitor] {
        state.withLock { state in
            let taken = Array(state.due.prefix(limit))
            state.due.removeFirst(taken.count)
            return taken
        }
    }

    func record(_ result: ProbeResult, of monitor: HealthMonitor) async throws(LedgerError) {
        state.withLock { $0.results.append((monitor.name, result)) }
    }
}

/// Plugins that serve given keys; a lookup answers a status.
final class FakePlugins: Dispatch {
    let routes: [RouteKey]
    let status: String
    let calls = Mutex<[Invocation]>([])

    init(_ routes: [RouteKey], status: String = "pending_dns") {
        self.routes = routes
        self.status = status
    }

    func route(for key: RouteKey) -> Route? {
        guard routes.contains(key) else { return nil }
        return Route(
            pluginID: "railway", pluginVersion: "1.0.0", operation: "deploy.setup_domain", defaultModel: nil,
            ledgerName: "custom", isMetered: false, lookup: "deploy.lookup", undo: "deploy.delete")
    }

    func invoke(
        _ invocation: Invocation, onChunk: @Sendable (CallChunk) async -> Void
    ) async throws(ProviderError) -> JSON {
        calls.withLock { $0.append(invocation) }
        return ["found": true, "result": ["status": .string(status)]]
    }
}

let moment = Timestamp(microseconds: 1_800_000_000_000_000)

struct FixedClock: WallClock {
    func now() -> Timestamp { moment }
}

extension Invocation {
    /// A call of one of the host's operations.
    static func core(_ operation: String, _ members: [(String, JSON)] = []) -> Invocation {
        var input: JSON = [
            "application": ["id": .string(execution.description), "name": "invoice-pilot", "environment": "production"]
        ]
        for (name, value) in members { input.set(name, value) }
        let route = Route(
            pluginID: "core", pluginVersion: "0", operation: operation, defaultModel: nil, ledgerName: "custom",
            isMetered: false)
        return Invocation(
            route: route, callID: UUIDv7(at: moment), input: input, tenant: "", attempt: 1, idempotencyKey: "k",
            deadline: moment)
    }

    static let execution = UUIDv7(at: moment)
}
