import Domain
import Logging
import Synchronization
import Testing

@testable import CoreProvider

/// Finds everything at `http://up` healthy.
private struct HalfWorld: HealthProbe {
    func http(_ url: String, expectedStatus: Int?, timeout: Duration) async -> ProbeResult {
        ProbeResult(isHealthy: url.hasPrefix("http://up"), latency: .milliseconds(3))
    }
    func database(_ url: String, timeout: Duration) async -> ProbeResult {
        ProbeResult(isHealthy: false, latency: .zero)
    }
}

private final class FakeWatch: DomainWatch {
    struct State {
        var due: [PendingDomain] = []
        var active: [String] = []
        var postponed: [Duration?] = []
    }

    let state = Mutex(State())

    func takeDue(limit: Int) async throws(LedgerError) -> [PendingDomain] {
        state.withLock { state in
            defer { state.due = [] }
            return state.due
        }
    }
    func activate(_ domain: PendingDomain) async throws(LedgerError) {
        state.withLock { $0.active.append(domain.domain) }
    }
    func postpone(_ domain: PendingDomain, by delay: Duration?) async throws(LedgerError) {
        state.withLock { $0.postponed.append(delay) }
    }
}

@Suite struct BackgroundTests {
    private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    @Test func `due checks are made and recorded`() async throws {
        let store = FakeMonitors()
        for url in ["http://up/health", "http://down/health"] {
            try await store.start(
                HealthMonitor(
                    id: UUIDv7(at: moment), executionID: UUIDv7(at: moment), name: url, url: url, expectedStatus: 200,
                    interval: .seconds(60)))
        }
        let monitoring = HealthMonitoring(store: store, probe: HalfWorld(), logger: logger)
        #expect(await monitoring.checkDue() == false)
        let results = store.state.withLock { state in
            Dictionary(state.results.map { ($0.name, $0.result.isHealthy) }) { first, _ in first }
        }
        #expect(results == ["http://up/health": true, "http://down/health": false])
    }

    private func pending(attempts: Int) -> PendingDomain {
        PendingDomain(
            executionID: UUIDv7(at: moment), userID: UUIDv7(at: moment), domain: "example.com",
            effect: Effect(
                key: "e/9", stepID: "9", command: "setup_domain", provider: "railway", pluginID: "railway",
                request: ["application": ["name": "x"]], state: .done, resource: ["id": "d"]), attempts: attempts)
    }

    @Test(arguments: ["active", "pending_dns"])
    func `a domain is active when its provider says so`(status: String) async throws {
        let watch = FakeWatch()
        watch.state.withLock { $0.due = [pending(attempts: 0)] }
        let plugins = FakePlugins([.command("setup_domain", provider: "railway")], status: status)
        await DomainVerification(watch: watch, dispatch: plugins, clock: FixedClock(), logger: logger).lookAtDue()
        let isActive = status == "active"
        #expect(watch.state.withLock { $0.active } == (isActive ? ["example.com"] : []))
        #expect(watch.state.withLock { $0.postponed } == (isActive ? [] : [.seconds(5)]))
        let call = try #require(plugins.calls.withLock { $0.first })
        #expect(call.route.operation == "deploy.lookup" && call.idempotencyKey == "e/9")
        #expect(call.input["effect"]?["resource"]?["id"] == "d" && call.input["application"]?["name"] == "x")
    }

    @Test func `looks become rare and end`() {
        #expect(DomainVerification.delay(after: 0) == .seconds(5))
        #expect(DomainVerification.delay(after: 6) == .seconds(10))
        #expect(DomainVerification.delay(after: 60) == .seconds(3_600))
        #expect(DomainVerification.delay(after: DomainVerification.maximumAttempts) == nil)
    }
}
