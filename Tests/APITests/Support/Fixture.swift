import Domain
import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing

@testable import API

/// An API over fakes, with one registered caller.
struct Fixture {
    let accounts = FakeAccounts()
    let catalog = FakeCatalog()
    let reader = FakeReader()
    let admission = FakeAdmission()
    let clock = FakeClock()
    let metrics = PrometheusRegistry()
    let logs = LogCapture()
    let readiness = Readiness()
    let signals = ExecutionSignals()
    let vault = FakeVault()
    let sources = FakeSources()
    let timer = ManualTimer()
    let keys = APIKeyHasher(salt: Array("a salt of a test".utf8))
    let caller: Principal
    let callerKey: String
    var registration = RegistrationMode.open
    var publicURL: String?
    var webhookSecret: (@Sendable (UUIDv7) -> String)?
    var streamLimits = StreamLimits.logs
    var cloneLimits = StreamLimits.clones
    var requestLimits = StreamLimits.requests
    var maximumConnections = 100
    var maximumUnreadBytes = 1 << 30
    /// Instead of `sources`.
    var realSources: (any SourceService)?
    var passwords = PasswordHasher(cost: .init(logarithm: 4, blockSize: 1, parallelism: 1))

    final class Readiness: Sendable {
        let report = Mutex(ReadinessReport(checks: [.init(name: "database", isReady: true)]))
    }

    init() {
        callerKey = APICredentials.generate().key
        caller = Principal(
            userID: UUIDv7(at: clock.now()), keyID: UUIDv7(at: clock.now()), tier: "starter", isAdmin: false)
        accounts.state.withLock { [caller, callerKey, keys] in $0.principals[keys.hash(callerKey)] = caller }
    }

    var server: APIServer {
        APIServer(
            dependencies: APIDependencies(
                accounts: accounts, catalog: catalog, reader: reader, admission: admission, keys: keys,
                passwords: passwords, registration: registration, clock: clock, publicURL: publicURL,
                metrics: metrics, readiness: { [readiness] in readiness.report.withLock { $0 } }, version: "1.2.3",
                signals: signals, vault: vault, sources: realSources ?? sources, webhookSecret: webhookSecret,
                timer: timer, streamLimits: streamLimits, cloneLimits: cloneLimits, requestLimits: requestLimits,
                maximumConnections: maximumConnections, maximumUnreadBytes: maximumUnreadBytes))
    }

    func test(
        _ setup: TestingSetup = .router, _ body: @Sendable (any TestClientProtocol) async throws -> Void
    ) async throws {
        try await test(setup, server, body)
    }

    /// With a server that the test has a hold of.
    func test(
        _ setup: TestingSetup, _ server: APIServer, _ body: @Sendable (any TestClientProtocol) async throws -> Void
    ) async throws {
        let application = server.makeApplication(hostname: "127.0.0.1", port: 0, logger: logs.logger)
        try await application.test(setup, body)
    }

    /// Another registered caller's key.
    func otherKey() -> HTTPFields {
        let other = APICredentials.generate().key
        let principal = Principal(
            userID: UUIDv7(at: clock.now()), keyID: UUIDv7(at: clock.now()), tier: "starter", isAdmin: false)
        accounts.state.withLock { $0.principals[keys.hash(other)] = principal }
        return [.apiKey: other]
    }

    var key: HTTPFields { [.apiKey: callerKey] }

    /// The caller's headers for a JSON body.
    var jsonKey: HTTPFields { [.apiKey: callerKey, .contentType: "application/json"] }
}

extension TestClientProtocol {
    func get(_ uri: String, _ headers: HTTPFields = [:]) async throws -> TestResponse {
        try await execute(uri: uri, method: .get, headers: headers)
    }

    func post(
        _ uri: String, _ body: String, _ headers: HTTPFields = [.contentType: "application/json"]
    ) async throws -> TestResponse {
        try await execute(uri: uri, method: .post, headers: headers, body: ByteBuffer(string: body))
    }
}

extension TestResponse {
    var text: String { String(buffer: body) }
    var json: JSON { get throws { try JSON.parse(text) } }
    var keys: [String] { get throws { try #require(try json.objectValue).keys } }

    /// Checks everything that every problem document has, and gives it.
    func problem(_ code: ProblemCode, sourceLocation: SourceLocation = #_sourceLocation) throws -> JSON {
        let document = try json
        #expect(status == code.status, sourceLocation: sourceLocation)
        #expect(headers[.contentType] == "application/problem+json", sourceLocation: sourceLocation)
        #expect(document["type"] == .string("urn:aibackend:problem:\(code.rawValue)"), sourceLocation: sourceLocation)
        #expect(document["code"] == .string(code.rawValue), sourceLocation: sourceLocation)
        #expect(document["title"] == .string(code.title), sourceLocation: sourceLocation)
        #expect(document["status"] == .integer(Int64(code.status.code)), sourceLocation: sourceLocation)
        #expect(document["detail"]?.stringValue?.isEmpty == false, sourceLocation: sourceLocation)
        #expect(document["instance"]?.stringValue?.first == "/", sourceLocation: sourceLocation)
        #expect(document["request_id"]?.stringValue == headers[.requestID], sourceLocation: sourceLocation)
        #expect(headers[.requestID]?.isEmpty == false, sourceLocation: sourceLocation)
        return document
    }
}

extension JSON {
    /// `place code` of each of a problem's errors.
    var faults: [String] {
        (self["errors"]?.arrayValue ?? []).map { error in
            let place = error["pointer"] ?? error["parameter"] ?? error["header"]
            return "\(place?.stringValue ?? "?") \(error["code"]?.stringValue ?? "?")"
        }
    }
}
