import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Synchronization
import Testing

@testable import Sandbox

/// Applications and databases that only claim to run.
final class FakeApplications: ApplicationHost {
    struct State {
        var started: [ApplicationSpecification] = []
        var running: [String: AsyncStream<ApplicationExit>.Continuation] = [:]
        var databases: [String: String] = [:]
        var failure: ApplicationFailure?
        var onLog: [String: @Sendable (ApplicationLogStream, String) -> Void] = [:]
    }

    let state = Mutex(State())
    /// Where `start` waits, if it is to.
    let hold: Hold?

    init(failure: ApplicationFailure? = nil, hold: Hold? = nil) {
        self.hold = hold
        state.withLock { $0.failure = failure }
    }

    var started: [ApplicationSpecification] { state.withLock(\.started) }
    var running: Set<String> { state.withLock { Set($0.running.keys) } }
    /// Names and passwords.
    var databases: [String: String] { state.withLock(\.databases) }

    /// What a running application says.
    func say(_ line: String, as id: String) { state.withLock { $0.onLog[id] }?(.standardOutput, line) }

    func crash(_ id: String) {
        let continuation = state.withLock { $0.running[id] }
        continuation?.yield(ApplicationExit(status: 7))
        continuation?.finish()
    }

    func start(
        _ application: ApplicationSpecification, onLog: @escaping @Sendable (ApplicationLogStream, String) -> Void
    ) async throws(ApplicationFailure) -> RunningApplication {
        let (exits, continuation) = AsyncStream.makeStream(of: ApplicationExit.self)
        let number = state.withLock { state in
            state.onLog[application.id] = onLog
            state.started.append(application)
            return state.started.count
        }
        onLog(.build, "unpacked \(application.archive.count) bytes")
        if let hold {
            do {
                try await hold.wait(as: number)
            } catch {
                throw ApplicationFailure(.deploy, "cancelled")
            }
        }
        if let failure = state.withLock(\.failure) { throw failure }
        if let replaced = application.replaces { await stop(replaced) }
        onLog(.standardOutput, "listening on \(application.port)")
        state.withLock { $0.running[application.id] = continuation }
        return RunningApplication(port: application.port, exits: exits)
    }

    func stop(_ id: String) async { state.withLock { $0.running.removeValue(forKey: id) }?.finish() }

    func createDatabase(_ name: String, password: String) async throws(ApplicationFailure) -> PlatformDatabase {
        if let failure = state.withLock(\.failure) { throw failure }
        state.withLock { $0.databases[name] = password }
        return PlatformDatabase(host: "127.0.0.1", port: 1, name: name, user: name, password: password)
    }

    func dropDatabase(_ name: String) async { state.withLock { $0.databases[name] = nil } }
}

/// A client of the simulated platform.
struct RailwayClient: Sendable {
    let sandbox: SandboxClient
    var token: String? = "railway-token"

    func send(
        _ query: String, _ variables: JSON = [:], name: String? = nil, headers: [String: String] = [:]
    ) async throws -> TestResponse {
        let body: JSON = [
            "query": .string(query), "variables": variables, "operationName": name.map(JSON.string) ?? .null,
        ]
        var all = ["content-type": "application/json"]
        all["authorization"] = token.map { "Bearer \($0)" }
        return try await sandbox.call(
            .post, "/railway/graphql/v2", body, headers: all.merging(headers) { $1 })
    }

    /// The answer's data, without errors.
    func data(_ query: String, _ variables: JSON = [:]) async throws -> JSON {
        let response = try await send(query, variables)
        #expect(try response.json["errors"] == nil, "\(response.text)")
        return try response.json["data"] ?? .null
    }

    func firstError(_ query: String, _ variables: JSON = [:]) async throws -> String? {
        try await send(query, variables).json["errors"]?.arrayValue?.first?["message"]?.stringValue
    }

    func upload(
        _ place: Place, _ bytes: [UInt8] = Archive.application, service: String? = nil, message: String = "first"
    ) async throws -> TestResponse {
        var headers = ["content-type": "application/gzip"]
        headers["authorization"] = token.map { "Bearer \($0)" }
        return try await sandbox.http.execute(
            uri: "/railway/project/\(place.project)/environment/\(place.environment)/up"
                + "?serviceId=\(service ?? place.service)&message=\(message)",
            method: .post, headers: SandboxClient.fields(headers), body: ByteBuffer(bytes: bytes))
    }

    func state() async throws -> JSON { try await sandbox.call(.get, "/railway/state").json }

    struct Place: Sendable {
        let project: String
        let environment: String
        let service: String
        var variables: JSON {
            ["p": .string(project), "e": .string(environment), "s": .string(service)]
        }
    }

    /// A project with an empty service.
    func place(_ name: String = "shop", service: String = "app") async throws -> Place {
        let project = try await data(
            """
            mutation M($input: ProjectCreateInput!) {
              projectCreate(input: $input) { id environments { edges { node { id name } } } }
            }
            """, ["input": ["name": .string(name), "defaultEnvironmentName": "live"]])["projectCreate"]
        let id = try #require(project?["id"]?.stringValue)
        let environment = project?["environments"]?["edges"]?.arrayValue?.first?["node"]
        #expect(environment?["name"] == "live")
        let environmentID = try #require(environment?["id"]?.stringValue)
        let created = try await data(
            "mutation M($input: ServiceCreateInput!) { serviceCreate(input: $input) { id } }",
            ["input": ["projectId": .string(id), "environmentId": .string(environmentID), "name": .string(service)]])
        return Place(
            project: id, environment: environmentID,
            service: try #require(created["serviceCreate"]?["id"]?.stringValue))
    }

    func set(_ variables: JSON, _ place: Place) async throws {
        _ = try await data(
            "mutation M($input: VariableCollectionUpsertInput!) { variableCollectionUpsert(input: $input) }",
            [
                "input": [
                    "projectId": .string(place.project), "environmentId": .string(place.environment),
                    "serviceId": .string(place.service), "skipDeploys": true, "variables": variables,
                ]
            ])
    }

    /// Asks until the deployment has this status.
    func wait(for status: String, of id: String) async throws {
        let deadline = ContinuousClock.now.advanced(by: .seconds(20))
        var seen = ""
        while ContinuousClock.now < deadline {
            let data = try await data("query Q($id: String!) { deployment(id: $id) { status } }", ["id": .string(id)])
            seen = data["deployment"]?["status"]?.stringValue ?? ""
            if seen == status { return }
        }
        Issue.record("the deployment stayed \(seen) and did not become \(status)")
    }

    func log(_ field: String, _ id: String) async throws -> [String] {
        try await data("query Q($id: String!) { \(field)(deploymentId: $id) { message } }", ["id": .string(id)])[field]?
            .arrayValue?.compactMap { $0["message"]?.stringValue } ?? []
    }

    func deployed(_ place: Place, message: String = "first") async throws -> String {
        let response = try await upload(place, message: message)
        #expect(response.status == .ok, "\(response.text)")
        return try #require(try response.json["deploymentId"]?.stringValue)
    }
}

func withRailway(
    applications: (any ApplicationHost)? = FakeApplications(), keys: AcceptedKeys = .anyNonEmpty,
    limits: RailwayLimits = RailwayLimits(), wallClock: any WallClock = SystemWallClock(),
    _ test: @Sendable (RailwayClient) async throws -> Void
) async throws {
    var logger = Logger(label: "sandbox-tests")
    logger.logLevel = .error
    let sandbox = try Sandbox(
        configuration: .init(acceptedKeys: keys, latency: .none, railway: limits), applications: applications,
        logger: logger, wallClock: wallClock)
    try await sandbox.application.test(.ahc(.http)) { client in
        // A failed test must not leave a call held: the server would wait for it for ever.
        defer { sandbox.control.releaseEverything() }
        try await test(RailwayClient(sandbox: SandboxClient(http: client)))
    }
}

enum Archive {
    /// `package.json` and `server.js`, packed by GNU-compatible tools at the highest compression.
    static let application = bytes(
        """
        1f8b0800000000000203edd4c16a02311006e09cfb1432a7042466dba50b42fb0a8af505c23ab4ab6d3666a217f1ddcd7ab0b4979eb4d0fe\
        df6542e6309099899d44df6efc2bdbb5f4415d852b1eebfa1c8bef71487e9e87fbca3d344e8d9cba819d649f4a79f53f1d28f80fa629f918\
        694cd2a62e66a1e9818677c92511fa158f84d39e5399113a1eef14fc19767269edd56afcb4ff5575ff75ff5dd3d4d8ff9b48bcdd758935bd\
        e51cc9d836b1cffc729e09adb763314fcf6239ac34f51b32c6be779239e898fa9665c8eced7cb6581afc0a00000000000000000000000000\
        000000bfe2044f145a1200280000
        """)

    static func bytes(_ hexadecimal: String) -> [UInt8] {
        let digits = Array(hexadecimal)
        return stride(from: 0, to: digits.count - 1, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
    }
}
