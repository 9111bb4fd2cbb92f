import Domain
import Synchronization
import Testing

@testable import CoreProvider

@Suite struct CoreProviderTests {
    private let databases = FakeDatabases()
    private let monitors = FakeMonitors()
    private var core: CoreProvider {
        CoreProvider(version: "0", databases: databases, monitors: monitors, clock: FixedClock())
    }

    private func undo(_ command: String) -> Invocation {
        .core("core.undo", [("effect", ["command": .string(command), "key": "k", "resource": .null])])
    }

    @Test func `a database is made under a name that is found again, and dropped`() async throws {
        let made = try await core.invoke(.core("core.setup_database"))
        let name = try #require(made["name"]?.stringValue)
        #expect(name.wholeMatch(of: /app_invoice_pilot_[0-9a-f]{12}/) != nil)
        #expect(made["secrets"]?["database_url"]?.stringValue == "postgresql://\(name)")
        let again = try await core.invoke(.core("core.setup_database"))
        #expect(again["name"]?.stringValue == name)
        #expect(try await core.invoke(undo("setup_database"))["deleted"] == true)
        #expect(try await core.invoke(undo("setup_database"))["deleted"] == false)
        #expect(databases.names.withLock { $0.isEmpty })
    }

    @Test func `a server that is away is a failure that may pass`() async throws {
        databases.error.withLock { $0 = ApplicationDatabaseError("no connection", isRetryable: true) }
        let error = await #expect(throws: ProviderError.self) { try await core.invoke(.core("core.setup_database")) }
        #expect(error?.code == .upstream && error?.isRetryable == true)
    }

    @Test(arguments: [
        (["Procfile", "main.py"], nil), (["package.json", "main.py"], "npm start"), (["app.py"], "python3 app.py"),
        (["web/main.py"], nil),
    ])
    func `the start command comes from the files`(paths: [String], command: String?) async throws {
        let result = try await core.invoke(
            .core(
                "core.create_deployment_config",
                [
                    ("parameters", ["provider": "railway", "environment": "production"]),
                    ("source_paths", .array(paths.map { .string($0) })),
                ]))
        #expect(result["start_command"]?.stringValue == command)
        let file = try #require(result["files"]?.arrayValue?.first)
        #expect(file["path"] == "railway.json")
        let config = try JSON.parse(Array(try #require(file["content"]?.stringValue).utf8))
        #expect(config["deploy"]?["startCommand"]?.stringValue == command)
        #expect(config["deploy"]?["healthcheckPath"] == "/health")
    }

    @Test func `another provider gets no file of Railway's`() async throws {
        let result = try await core.invoke(
            .core("core.create_deployment_config", [("parameters", ["provider": "core"])]))
        #expect(result["files"] == [])
    }

    @Test(
        arguments: [["environment": 3], ["environment": ["production"]], ["environment": " "], ["provider": true]]
            as [JSON])
    func `a configuration that names nothing is refused`(parameters: JSON) async throws {
        let error = await #expect(throws: ProviderError.self) {
            try await core.invoke(.core("core.create_deployment_config", [("parameters", parameters)]))
        }
        #expect(error?.code == .invalid && error?.isRetryable == false)
    }

    @Test func `monitoring starts and stops`() async throws {
        let parameters: JSON = ["app_url": "http://app/", "health_checks": true]
        let result = try await core.invoke(.core("core.setup_monitoring", [("parameters", parameters)]))
        #expect(result["is_monitored"] == true && result["url"] == "http://app/health")
        let monitor = try #require(monitors.state.withLock { $0.monitors.first })
        #expect(monitor.interval == .seconds(60) && monitor.expectedStatus == 200 && monitor.name == "invoice-pilot")
        #expect(try await core.invoke(undo("setup_monitoring"))["deleted"] == true)
        #expect(monitors.state.withLock { $0.monitors.isEmpty })
    }

    @Test func `monitoring that is not wanted is not started`() async throws {
        let parameters: JSON = ["app_url": "https://app", "health_checks": false]
        let result = try await core.invoke(.core("core.setup_monitoring", [("parameters", parameters)]))
        #expect(result["is_monitored"] == false)
        #expect(monitors.state.withLock { $0.monitors.isEmpty })
    }

    @Test(
        arguments: [
            [:], ["app_url": "ftp://x"], ["app_url": 7], ["app_url": "http://a", "health_checks": ["path": "x"]],
            ["app_url": "http://a", "health_checks": ["interval_seconds": 1]],
            ["app_url": "http://a", "health_checks": ["interval_seconds": "often"]],
            ["app_url": "http://a", "health_checks": ["expected_status": 99]],
        ] as [JSON])
    func `parameters that make no sense are refused`(parameters: JSON) async throws {
        let error = await #expect(throws: ProviderError.self) {
            try await core.invoke(.core("core.setup_monitoring", [("parameters", parameters)]))
        }
        #expect(error?.code == .invalid && error?.isRetryable == false)
        #expect(monitors.state.withLock { $0.monitors.isEmpty })
    }

    @Test func `an input without an application and an unknown operation are refused`() async throws {
        let whole = Invocation.core("core.setup_database")
        let broken = Invocation(
            route: whole.route, callID: whole.callID, input: ["application": ["id": "x"]], tenant: "", attempt: 1,
            idempotencyKey: "", deadline: moment)
        await #expect(throws: ProviderError.self) { try await core.invoke(broken) }
        await #expect(throws: ProviderError.self) { try await core.invoke(.core("core.dance")) }
        await #expect(throws: ProviderError.self) { try await core.invoke(undo("deploy_application")) }
    }
}
