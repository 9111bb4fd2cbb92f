import Domain
import Synchronization
import Testing

@testable import CoreProvider

@Suite struct CoreDispatchTests {
    private static let deploy = RouteKey.command("deploy_application", provider: "railway")

    private func dispatch(_ routes: [RouteKey], databases: Bool = true) -> CoreDispatch {
        CoreDispatch(
            over: FakePlugins(routes),
            core: CoreProvider(
                version: "1.2.3", databases: databases ? FakeDatabases() : nil, monitors: FakeMonitors(),
                clock: FixedClock()))
    }

    @Test func `what no plugin does for a provider the host does`() throws {
        let dispatch = dispatch([Self.deploy])
        let route = try #require(dispatch.route(for: .command("setup_monitoring", provider: "railway")))
        #expect(route.pluginID == "core" && route.pluginVersion == "1.2.3" && !route.isMetered && route.hasEffect)
        #expect(dispatch.route(for: .command("create_deployment_config", provider: "railway"))?.hasEffect == false)
        #expect(dispatch.route(for: .command("setup_monitoring", provider: "core")) != nil)
        #expect(dispatch.route(for: Self.deploy)?.pluginID == "railway")
    }

    @Test func `a provider that nobody serves is not served by the host either`() {
        let dispatch = dispatch([Self.deploy])
        #expect(dispatch.route(for: .command("setup_monitoring", provider: "heroku")) == nil)
        #expect(dispatch.route(for: .command("deploy_application", provider: "core")) == nil)
        #expect(dispatch.route(for: .command("dance", provider: "railway")) == nil)
        #expect(dispatch.route(for: .aiProvider("claude")) == nil)
    }

    @Test func `a plugin comes first`() {
        let dispatch = dispatch([Self.deploy, .command("setup_monitoring", provider: "railway")])
        #expect(dispatch.route(for: .command("setup_monitoring", provider: "railway"))?.pluginID == "railway")
        #expect(dispatch.routes.count { $0 == .command("setup_monitoring", provider: "railway") } == 1)
    }

    @Test func `databases need the operator's server`() {
        let key = RouteKey.command("setup_database", provider: "core")
        #expect(dispatch([]).route(for: key) != nil)
        #expect(dispatch([], databases: false).route(for: key) == nil)
        #expect(!dispatch([], databases: false).routes.contains(key))
    }

    @Test func `calls go where their route says`() async throws {
        let plugins = FakePlugins([Self.deploy])
        let dispatch = CoreDispatch(
            over: plugins,
            core: CoreProvider(version: "0", databases: nil, monitors: FakeMonitors(), clock: FixedClock()))
        let config = try await dispatch.invoke(.core("core.create_deployment_config")) { _ in }
        #expect(config["health_check_path"] == "/health")
        #expect(plugins.calls.withLock { $0.isEmpty })
    }
}
