import Domain
import Foundation
import Logging
import Outbound
import Sandbox
import Testing

@testable import App
@testable import Persistence

/// What outlives the hosts of a test: the sandbox's providers with what was made there, and a database server.
struct SurvivalWorld: Sendable {
    let folder: String
    let transport: HTTPClient
    let address: SandboxAddress
    let provider: APIClient
    let server: DatabaseServer
    /// Where the test looks for what hosts wrote: the world's server, or a host's own.
    var databaseURL: String

    static func with(_ name: String, _ body: (SurvivalWorld) async throws -> Void) async throws {
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let folder = try Program.folder(name)
        let applications = SandboxApplications(folder: folder + "/sandbox", logger: logger)
        let sandbox = try Sandbox(
            configuration: .init(latency: .none), fixtures: Installation.answers(), applications: applications,
            logger: logger)
        let server = try await DatabaseServer.start(in: folder + "/postgres")
        let transport = APIClient.transport()
        let result: Result<Void, any Error>
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await sandbox.run() }
                let address = try await sandbox.waitUntilListening()
                try await body(
                    SurvivalWorld(
                        folder: folder, transport: transport, address: address,
                        provider: APIClient(transport: transport, base: address.baseURL), server: server,
                        databaseURL: server.url))
                group.cancelAll()
            }
            result = .success(())
        } catch { result = .failure(error) }
        await applications.shutdown()
        await server.stop()
        await transport.shutdown()
        try result.get()
    }

    /// - Parameters:
    ///   - name: of the host's data directory; a host of the same name is the same host, started again.
    ///   - isPrivate: whether the host keeps a database of its own instead of the world's.
    func startHost(
        _ name: String = "host", environment: [String: String] = [:], isPrivate: Bool = false
    ) throws -> HostProcess {
        let settings = folder + "/aibackend.yaml"
        try """
        plugins:
          claude: {base_url: "\(address.anthropicBaseURL)"}
          codex: {base_url: "\(address.openAIBaseURL)"}
          railway: {base_url: "\(address.railwayBaseURL)", poll_interval_ms: 200}
        """.write(toFile: settings, atomically: true, encoding: .utf8)
        let key = "sk-sandbox-key"
        var variables = [
            "ANTHROPIC_API_KEY": key, "OPENAI_API_KEY": key, "RAILWAY_TOKEN": key,
            "DEPLOYMENTS_PRIVATE_ADDRESSES": "allow",
        ]
        if !isPrivate {
            variables["DATABASE_URL"] = server.url
            variables["API_KEY_SALT"] = String(repeating: "5a", count: 32)
            variables["ENCRYPTION_KEY"] = String(repeating: "c3", count: 32)
        }
        return try HostProcess(
            ["--config", settings], dataDirectory: "\(folder)/\(name)",
            environment: variables.merging(environment) { $1 }, transport: transport)
    }

    /// The answer of whichever comes first; the other is cancelled.
    static func first(
        _ one: @escaping @Sendable () async throws -> Bool, or other: @escaping @Sendable () async throws -> Bool
    ) async throws -> Bool {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask { try await one() }
            group.addTask { try await other() }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
    }

    /// The same account, whichever host it speaks to.
    func client(_ account: APIClient, at host: HostProcess) -> APIClient {
        APIClient(transport: transport, base: host.client.base, key: account.key)
    }

    /// A connection of the test's own, beside the hosts.
    func withDatabase<Value: Sendable>(
        _ body: (Database) async throws -> Value
    ) async throws -> Value {
        var configuration = DatabaseConfiguration(applicationName: "test")
        (configuration.exclusiveConnections, configuration.sharedConnections) = (1, 1)
        let database = try await Database.connect(
            databaseURL, configuration: configuration,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        do {
            let value = try await body(database)
            await database.close()
            return value
        } catch {
            await database.close()
            throw error
        }
    }

    func query(_ sql: String, _ parameters: [SQLValue] = []) async throws -> Rows {
        try await withDatabase { database in try await database.query(sql, parameters) }
    }
}

extension Database {
    func query(_ sql: String, _ parameters: [SQLValue] = []) async throws -> Rows {
        try await transaction { session throws(DatabaseError) in try session.query(sql, parameters) }
    }
}

extension APIClient {
    /// Has the shipped SaaS template executed, with everything that it can do; answers the execution's id.
    ///
    /// - Parameter hasDomain: a domain that waits for its records is looked at after the run, too.
    func beginSaaS(_ name: String, hasDomain: Bool = true) async throws -> String {
        var configuration: JSON = ["app_name": .string(name)]
        if hasDomain { configuration.set("domain_name", .string(Self.domain(of: name))) }
        let admitted = try await post("/v1/templates/saas-starter/execute", ["configuration": configuration])
        return try #require(admitted.body["execution_id"]?.stringValue, "\(admitted.body.text)")
    }

    static func domain(of name: String) -> String { "\(name.lowercased()).example.org" }

    /// Has the sandbox hold calls; answers the gate's id.
    func close(_ gate: JSON) async throws -> Int64 {
        let answer = try await post("/gates", gate)
        return try #require(answer.body["id"]?.integerValue, "\(answer.body.text)")
    }

    /// Lets go of what a gate holds, if it still stands.
    func open(_ gate: Int64) async throws { _ = try await delete("/gates/\(gate)") }

    /// Returns once so many calls have come to the gate, however long that takes.
    func waitUntilHeld(_ gate: Int64, calls: Int = 1) async throws {
        while true {
            try Task.checkCancellation()
            // A request ends after a while; the gate is still there.
            guard let answer = try? await get("/gates/\(gate)?held=\(calls)") else { continue }
            try #require(answer.status == 200, "\(answer.body.text)")
            return
        }
    }
}
