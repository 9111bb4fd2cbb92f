public import Domain
public import Logging
public import ServiceLifecycle

/// Keeps the health checks of all applications running: takes the ones that are due, looks, and records what it found.
/// Hosts share the work by the store.
public struct HealthMonitoring: Service {
    /// Checks at once.
    static let width = 16
    static let timeout = Duration.seconds(10)

    private let store: any MonitorStore
    private let probe: any HealthProbe
    private let pause: @Sendable () async throws -> Void
    private let logger: Logger

    /// - Parameter pause: waits between two looks for due checks.
    public init(
        store: any MonitorStore, probe: any HealthProbe, logger: Logger,
        pause: @escaping @Sendable () async throws -> Void = { try await Task.sleep(for: .seconds(1)) }
    ) {
        self.store = store
        self.probe = probe
        self.logger = logger
        self.pause = pause
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let isBusy = await checkDue()
                if !isBusy { do { try await pause() } catch { return } }
            }
        }
    }

    /// Makes the checks that are due now; whether there may be more.
    func checkDue() async -> Bool {
        let due: [HealthMonitor]
        do { due = try await store.takeDue(limit: Self.width) } catch {
            logger.warning("due health checks could not be taken", metadata: ["error": "\(error)"])
            return false
        }
        await withDiscardingTaskGroup { group in
            for monitor in due { group.addTask { await check(monitor) } }
        }
        return due.count == Self.width
    }

    private func check(_ monitor: HealthMonitor) async {
        let result = await probe.http(monitor.url, expectedStatus: monitor.expectedStatus, timeout: Self.timeout)
        if Task.isCancelled { return }
        do { try await store.record(result, of: monitor) } catch {
            logger.warning(
                "a health check could not be recorded", metadata: ["service": "\(monitor.name)", "error": "\(error)"])
        }
    }
}
