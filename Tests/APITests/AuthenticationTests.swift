import Domain
import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing

@testable import API

@Suite struct AuthenticationTests {
    private static let execution = "/v1/executions/\(FakeAdmission.executionID)"

    @Test(arguments: [
        (HTTPRequest.Method.get, "/v1/templates"), (.post, "/v1/templates/saas/execute"), (.get, execution),
        (.get, execution + "/logs"), (.get, execution + "/logs?stream=true"), (.get, execution + "/resources"),
    ])
    func everyUserEndpointNeedsAKey(method: HTTPRequest.Method, uri: String) async throws {
        try await Fixture().test { client in
            let missing = try await client.execute(uri: uri, method: method)
            _ = try missing.problem(.missingAPIKey)
            #expect(missing.headers[.wwwAuthenticate]?.contains("X-API-Key") == true)
            let unknown = try await client.execute(
                uri: uri, method: method, headers: [.apiKey: APICredentials.generate().key])
            _ = try unknown.problem(.invalidAPIKey)
            #expect(unknown.headers[.wwwAuthenticate] != nil)
        }
    }

    @Test func whatCannotBeAKeyIsRefusedWithoutALookUp() async throws {
        let fixture = Fixture()
        let good = fixture.callerKey
        let bad = [
            "", "x", "aib_", String(good.dropLast()), good + "A", "bia_" + good.dropFirst(4),
            good.dropLast() + "!", "\(good), \(good)", "aib_" + String(repeating: "_", count: 43),
        ]
        try await fixture.test { client in
            for key in bad {
                _ = try await client.get("/v1/templates", [.apiKey: key]).problem(.invalidAPIKey)
            }
        }
        #expect(fixture.accounts.state.withLock { $0.lookups } == 0)
    }

    @Test func aRevokedKeyIsRefusedWithinASecond() async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            for _ in 0..<3 { #expect(try await client.get("/v1/templates", fixture.key).status == .ok) }
            #expect(fixture.accounts.state.withLock { $0.lookups } == 1)
            fixture.accounts.state.withLock { $0.principals = [:] }
            fixture.clock.advance(by: .milliseconds(999))
            #expect(try await client.get("/v1/templates", fixture.key).status == .ok)
            fixture.clock.advance(by: .milliseconds(1))
            _ = try await client.get("/v1/templates", fixture.key).problem(.invalidAPIKey)
            #expect(fixture.accounts.state.withLock { $0.lookups } == 2)
        }
    }

    @Test func aClockSetBackDoesNotKeepAKeyAlive() async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            _ = try await client.get("/v1/templates", fixture.key)
            fixture.clock.advance(by: .seconds(-3_600))
            _ = try await client.get("/v1/templates", fixture.key)
            #expect(fixture.accounts.state.withLock { $0.lookups } == 2)
        }
    }

    @Test func theCacheIsBounded() {
        let cache = PrincipalCache(capacity: 2)
        let now = Timestamp(microseconds: 0)
        let principal = Principal(userID: UUIDv7(at: now), keyID: UUIDv7(at: now), tier: "starter", isAdmin: false)
        for key in ["a", "b", "c"] { cache.insert(principal, keyHash: key, lookedUpAt: now) }
        let kept = ["a", "b", "c"].filter { cache.principal(keyHash: $0, at: now) != nil }
        #expect(kept == ["c"])
    }

    @Test func aDatabaseThatIsAwayIs503NotUnauthorized() async throws {
        let fixture = Fixture()
        fixture.accounts.state.withLock { $0.failure = LedgerError(.unavailable, "connection refused to 10.0.0.7") }
        try await fixture.test { client in
            let response = try await client.get("/v1/templates", fixture.key)
            _ = try response.problem(.unavailable)
            #expect(response.headers[.retryAfter] == "5")
            #expect(!response.text.contains("10.0.0.7"))
        }
    }

    @Test func keysAreRandomAndHashedUnderTheSalt() {
        let keys = (0..<100).map { _ in APICredentials.generate() }
        #expect(Set(keys.map(\.key)).count == 100)
        #expect(keys.allSatisfy { APICredentials.isWellFormed(key: $0.key) && $0.secret.utf8.count == 86 })
        #expect("\(keys[0])" == "APICredentials")
        // HMAC-SHA-256, RFC 4231 test case 2.
        #expect(
            APIKeyHasher(salt: Array("Jefe".utf8)).hash("what do ya want for nothing?")
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }
}
