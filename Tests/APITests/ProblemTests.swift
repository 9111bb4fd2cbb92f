import Domain
import Hummingbird
import HummingbirdTesting
import Logging
import Synchronization
import Testing

@testable import API

@Suite struct ProblemTests {
    @Test(arguments: ["/", "/v1", "/v1/nothing", "/v1/executions", "/v1/templates/a/execute/b"])
    func unknownPathsAre404(path: String) async throws {
        try await Fixture().test { client in
            let problem = try await client.get(path).problem(.notFound)
            #expect(problem["instance"] == .string(path))
        }
    }

    @Test(arguments: [
        (HTTPRequest.Method.get, "/v1/auth/register", "POST"), (.put, "/v1/templates/saas/execute", "POST"),
        (.post, "/v1/templates", "GET, HEAD"), (.delete, "/v1/executions/1", "GET, HEAD"),
        (.options, "/v1/executions/1/logs", "GET, HEAD"), (.post, "/health", "GET, HEAD"),
    ])
    func otherMethodsAre405(method: HTTPRequest.Method, path: String, allowed: String) async throws {
        try await Fixture().test { client in
            let response = try await client.execute(uri: path, method: method)
            _ = try response.problem(.methodNotAllowed)
            #expect(response.headers[.allow] == allowed)
        }
    }

    @Test func everyEndpointIsServedWithTheMethodsItNames() async throws {
        try await Fixture().test { client in
            for endpoint in Endpoint.allCases {
                for method in [HTTPRequest.Method.get, .head, .post] {
                    let response = try await client.execute(uri: endpoint.rawValue, method: method)
                    let isNamed = endpoint.allowedMethods.contains(method.rawValue)
                    #expect((response.status != .methodNotAllowed) == isNamed, "\(method) \(endpoint)")
                    #expect(response.status != .notFound || endpoint == .execution || endpoint == .logs)
                }
            }
        }
    }

    @Test func anUnknownErrorShowsNothingAndIsLogged() throws {
        struct Boom: Error, CustomStringConvertible { let description = "no route to 10.0.0.7" }
        let logs = LogCapture()
        let request = Request(
            head: HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/v1/templates"),
            body: RequestBody(buffer: ByteBuffer()))
        let problem = Problem(Boom(), request: request, logger: logs.logger)
        #expect(problem.code == .internalError)
        #expect(!problem.detail.contains("10.0.0.7"))
        #expect(problem.errors.isEmpty)
        #expect(logs.all.contains { $0.contains("no route to 10.0.0.7") })
    }

    @Test func aFailureIsLoggedWithTheRequestIDTheClientSees() async throws {
        let fixture = Fixture()
        fixture.reader.state.withLock { $0.failure = LedgerError(.rejected, "22P05") }
        try await fixture.test { client in
            let response = try await client.get("/v1/executions/\(FakeAdmission.executionID)", fixture.key)
            _ = try response.problem(.internalError)
            #expect(!response.text.contains("22P05"))
            let id = try #require(response.headers[.requestID])
            #expect(fixture.logs.all.contains { $0.contains("22P05") && $0.contains(id) })
        }
    }

    @Test func hostileTextIsCutAndEscaped() async throws {
        try await Fixture().test { client in
            let response = try await client.get("/" + String(repeating: "%22x", count: 500))
            let problem = try response.problem(.notFound)
            #expect((problem["detail"]?.stringValue?.count ?? .max) < 200)
        }
    }
}
