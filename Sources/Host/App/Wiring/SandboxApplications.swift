import Domain
import Logging
import Persistence
import Sandbox

/// Runs what is deployed to the sandbox, with a database server of its own beside the host's. Both start with the
/// first deployment: a sandbox that deploys nothing costs nothing.
actor SandboxApplications: ApplicationHost {
    private struct Parts: Sendable {
        let cluster: PrivateCluster
        let databases: PostgresApplicationDatabases
        let host: LocalApplicationHost
    }

    private let folder: String
    private let logger: Logger
    private var starting: Task<Parts, any Error>?

    /// - Parameter folder: where the applications and their databases live; made when it is needed.
    init(folder: String, logger: Logger) {
        self.folder = folder
        self.logger = logger
    }

    /// Stops the database server. The applications have been stopped by the sandbox before.
    func shutdown() async {
        guard let parts = try? await starting?.value else { return }
        await parts.cluster.stop()
    }

    private func parts() async throws(ApplicationFailure) -> Parts {
        let task = starting ?? Task { try await Self.start(in: folder, logger: logger) }
        starting = task
        do { return try await task.value } catch {
            starting = nil
            throw ApplicationFailure(.deploy, "the sandbox cannot run applications: \(error)")
        }
    }

    private static func start(in folder: String, logger: Logger) async throws -> Parts {
        guard File.createDirectories(folder) else { throw StartFailure("\(folder) cannot be created") }
        let cluster = try await PrivateCluster.start(
            dataDirectory: folder + "/db", listeningOn: 0, logger: logger)
        guard let port = cluster.port else { throw StartFailure("the applications' database server has no port") }
        let databases = try PostgresApplicationDatabases(
            adminURL: cluster.connectionURL, reachedAt: ApplicationServerAddress(host: "127.0.0.1", port: port),
            logger: logger)
        return Parts(
            cluster: cluster, databases: databases,
            host: LocalApplicationHost(
                runner: Installation.applicationRunner, directory: folder + "/apps", databases: databases,
                databasePort: port, logger: logger))
    }

    func start(
        _ application: ApplicationSpecification, onLog: @escaping @Sendable (ApplicationLogStream, String) -> Void
    ) async throws(ApplicationFailure) -> RunningApplication {
        try await parts().host.start(application, onLog: onLog)
    }

    func stop(_ id: String) async {
        guard let parts = try? await starting?.value else { return }
        await parts.host.stop(id)
    }

    func createDatabase(_ name: String, password: String) async throws(ApplicationFailure) -> PlatformDatabase {
        try await parts().host.createDatabase(name, password: password)
    }

    func dropDatabase(_ name: String) async {
        guard let parts = try? await starting?.value else { return }
        await parts.host.dropDatabase(name)
    }
}

extension SandboxApplications: ApplicationDatabases {
    // What the provider `core` offers in the sandbox: databases on the same server.

    private func databases() async throws(ApplicationDatabaseError) -> PostgresApplicationDatabases {
        do { return try await parts().databases } catch {
            throw ApplicationDatabaseError(error.message, isRetryable: true)
        }
    }

    func create(_ name: String) async throws(ApplicationDatabaseError) -> String {
        try await databases().create(name)
    }

    func exists(_ name: String) async throws(ApplicationDatabaseError) -> Bool { try await databases().exists(name) }
    func drop(_ name: String) async throws(ApplicationDatabaseError) { try await databases().drop(name) }
}
