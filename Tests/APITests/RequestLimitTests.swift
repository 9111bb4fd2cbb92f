import Domain
import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing

@testable import API

/// What a client is told when there is no room for its request.
@Suite(.timeLimit(.minutes(1))) struct RequestLimitTests {
    private static let path = "/v1/executions/\(UUIDv7(at: Timestamp(microseconds: 1_795_420_800_000_000)))/resources"

    /// A fixture whose requests of `path` wait until they are let go.
    private static func held(
        _ limits: StreamLimits
    ) -> (Fixture, arrived: AsyncStream<Void>, letGo: @Sendable () -> Void) {
        var fixture = Fixture()
        fixture.requestLimits = limits
        let (arrived, arrival) = AsyncStream.makeStream(of: Void.self)
        let (held, hold) = AsyncStream.makeStream(of: Void.self)
        fixture.reader.state.withLock {
            $0.hold = {
                arrival.yield()
                for await _ in held {}
            }
        }
        return (fixture, arrived, { hold.finish() })
    }

    @Test func `a user's many requests are refused, and another user's one is not`() async throws {
        let (fixture, arrived, letGo) = Self.held(StreamLimits(perUser: 1, total: 10))
        try await fixture.test { client in
            let other = fixture.otherKey()
            async let held = client.get(Self.path, fixture.key)
            for await _ in arrived { break }
            let second = try await client.get("/v1/templates", fixture.key)
            _ = try second.problem(.tooManyRequests)
            #expect(second.headers[.retryAfter] == "1")
            #expect(try await client.get("/v1/templates", other).status == .ok)
            letGo()
            _ = try await held.problem(.executionNotFound)
            #expect(try await client.get("/v1/templates", fixture.key).status == .ok)
        }
    }

    @Test func `beyond what the host takes nobody's request waits, and probes are answered`() async throws {
        let (fixture, arrived, letGo) = Self.held(StreamLimits(perUser: 10, total: 1))
        try await fixture.test { client in
            async let held = client.get(Self.path, fixture.key)
            for await _ in arrived { break }
            // Refused before it is known whose it is: looking that up is work too.
            for headers in [fixture.otherKey(), [:]] {
                let second = try await client.get("/v1/templates", headers)
                _ = try second.problem(.overloaded)
                #expect(second.headers[.retryAfter] == "1")
            }
            for path in ["/health", "/ready", "/metrics"] { #expect(try await client.get(path).status == .ok) }
            letGo()
            _ = try await held.problem(.executionNotFound)
            #expect(try await client.get("/v1/templates", fixture.key).status == .ok)
        }
    }

    @Test(arguments: [
        (LedgerError.Code.tooManyOfUser, ProblemCode.tooManyExecutions, "30"), (.tooMany, .overloaded, "30"),
        (.overloaded, .overloaded, "1"), (.unavailable, .unavailable, "5"),
    ])
    func `a run that finds no room is refused in clear words`(
        code: LedgerError.Code, problem: ProblemCode, retryAfter: String
    ) async throws {
        let fixture = Fixture()
        fixture.admission.state.withLock { $0.refusal = .ledger(LedgerError(code, "an internal")) }
        try await fixture.test { client in
            let response = try await client.post(
                "/v1/templates/t/execute", #"{"configuration":{}}"#, fixture.jsonKey)
            _ = try response.problem(problem)
            #expect(response.headers[.retryAfter] == retryAfter)
            #expect(!response.text.contains("internal"))
        }
    }

    @Test func `a database that has too much to do is an overload for readers`() async throws {
        let fixture = Fixture()
        fixture.reader.state.withLock { $0.failure = LedgerError(.overloaded, "too many statements wait") }
        try await fixture.test { client in
            let response = try await client.get(String(Self.path.dropLast("/resources".count)), fixture.key)
            _ = try response.problem(.overloaded)
            #expect(response.headers[.retryAfter] == "1")
        }
    }

    @Test func `one look at readiness serves all who ask meanwhile`() async {
        let looks = Mutex(0)
        let (held, hold) = AsyncStream.makeStream(of: Void.self)
        let check = ReadinessCheck {
            looks.withLock { $0 += 1 }
            for await _ in held {}
            return ReadinessReport(checks: [])
        }
        let asking = (0..<5).map { _ in Task.immediate { await check.report() } }
        while looks.withLock({ $0 }) == 0 { await Task.yield() }
        let late = Task.immediate { await check.report() }
        hold.finish()
        for task in asking + [late] { #expect(await task.value.isReady) }
        #expect(looks.withLock { $0 } <= 2)
    }
}
