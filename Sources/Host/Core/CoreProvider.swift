public import Domain

/// What the host does itself of a deployment: a configuration from what was generated, a database on the operator's
/// server, a health check that goes on.
public struct CoreProvider: Sendable {
    /// The operations, named as a plugin's are.
    enum Operation: String, CaseIterable {
        case createConfig = "core.create_deployment_config"
        case setupDatabase = "core.setup_database"
        case setupMonitoring = "core.setup_monitoring"

        init?(command: String) { self.init(rawValue: "core.\(command)") }

        var command: String { String(rawValue.dropFirst(5)) }
        /// What takes it back. None is looked up: each may simply be done again, for a database gets a new password,
        /// and a monitor is replaced.
        var undo: String? { self == .createConfig ? nil : "core.undo" }
    }

    let version: String
    let databases: (any ApplicationDatabases)?
    let monitors: any MonitorStore
    let clock: any WallClock

    /// - Parameters:
    ///   - version: the host's own.
    ///   - databases: where applications get databases; without it `setup_database` is not served.
    public init(
        version: String, databases: (any ApplicationDatabases)?, monitors: any MonitorStore,
        clock: any WallClock = SystemWallClock()
    ) {
        self.version = version
        self.databases = databases
        self.monitors = monitors
        self.clock = clock
    }

    func serves(_ operation: Operation) -> Bool { operation != .setupDatabase || databases != nil }

    func route(to operation: Operation) -> Route {
        Route(
            pluginID: CoreDispatch.providerName, pluginVersion: version, operation: operation.rawValue,
            defaultModel: nil, ledgerName: "custom", isMetered: false, undo: operation.undo)
    }

    func invoke(_ invocation: Invocation) async throws(ProviderError) -> JSON {
        let application = try ApplicationReference(invocation.input)
        switch invocation.route.operation {
        case Operation.createConfig.rawValue: return try DeploymentConfiguration(invocation.input).result
        case Operation.setupDatabase.rawValue: return try await createDatabase(application)
        case Operation.setupMonitoring.rawValue: return try await startMonitoring(application, invocation.input)
        case "core.undo": return try await undo(application, invocation.input)
        default:
            throw ProviderError(.invalid, "the host has no operation \(invocation.route.operation)")
        }
    }

    // MARK: Databases

    private func createDatabase(_ application: ApplicationReference) async throws(ProviderError) -> JSON {
        guard let databases else { throw ProviderError(.denied, "this host has no server for applications") }
        let name = application.databaseName
        do {
            let url = try await databases.create(name)
            return [
                "engine": "postgresql", "name": .string(name), "secrets": ["database_url": .string(url)],
                "resource": ["database": .string(name)],
            ]
        } catch { throw ProviderError(error) }
    }

    // MARK: Monitoring

    private func startMonitoring(
        _ application: ApplicationReference, _ input: JSON
    ) async throws(ProviderError) -> JSON {
        let parameters = input["parameters"] ?? .null
        let request = try MonitoringRequest(parameters)
        guard request.isWanted else {
            return ["url": .string(request.url), "is_monitored": false, "interval_seconds": 0]
        }
        let monitor = HealthMonitor(
            id: UUIDv7(at: clock.now()), executionID: application.id, name: application.name, url: request.url,
            expectedStatus: request.expectedStatus, interval: request.interval)
        do { try await monitors.start(monitor) } catch { throw ProviderError(error) }
        return [
            "url": .string(request.url), "is_monitored": true,
            "interval_seconds": .integer(request.interval.components.seconds),
            "resource": ["url": .string(request.url)],
        ]
    }

    // MARK: Undoing

    private func exists(_ application: ApplicationReference) async throws(ProviderError) -> Bool {
        do { return try await databases?.exists(application.databaseName) ?? false } catch {
            throw ProviderError(error)
        }
    }

    private func isMonitored(_ application: ApplicationReference) async throws(ProviderError) -> Bool {
        do { return try await monitors.isMonitored(application.id) } catch { throw ProviderError(error) }
    }

    private func undo(_ application: ApplicationReference, _ input: JSON) async throws(ProviderError) -> JSON {
        let command = input["effect"]?["command"]?.stringValue
        switch command {
        case Operation.setupDatabase.command:
            let wasThere = try await exists(application)
            do { try await databases?.drop(application.databaseName) } catch { throw ProviderError(error) }
            return ["deleted": .bool(wasThere)]
        case Operation.setupMonitoring.command:
            let wasThere = try await isMonitored(application)
            do { try await monitors.stop(execution: application.id) } catch { throw ProviderError(error) }
            return ["deleted": .bool(wasThere)]
        default: throw ProviderError(.invalid, "the host undoes no command \(command ?? "without a name")")
        }
    }
}

/// The application that an operation is about.
struct ApplicationReference: Sendable, Hashable {
    let id: UUIDv7
    let name: String

    init(_ input: JSON) throws(ProviderError) {
        guard let id = (input["application"]?["id"]?.stringValue).flatMap({ UUIDv7($0) }),
            let name = input["application"]?["name"]?.stringValue, !name.isEmpty
        else { throw ProviderError(.invalid, "the input has no application with an id and a name") }
        self.id = id
        self.name = name
    }

    /// Found again by name: the same for the same execution, on any host.
    var databaseName: String {
        let tail = id.description.filter { $0 != "-" }.suffix(12)
        let stem = name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
        return "app_\(String(stem).lowercased().prefix(40))_\(tail)"
    }
}

extension ProviderError {
    init(_ error: ApplicationDatabaseError) {
        self.init(.upstream, error.message, isRetryable: error.isRetryable)
    }

    init(_ error: LedgerError) {
        self.init(
            .upstream, error.message, isRetryable: error.code == .unavailable || error.code == .overloaded)
    }
}
