import Domain
import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing

@testable import API

@Suite struct RegistrationTests {
    private static let path = "/v1/auth/register"

    @Test func createsAUserAndShowsTheKeyOnce() async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            let body =
                #"{"email":"Ada@Example.COM","password":"correct horse","subscription_tier":"professional"}"#
            let response = try await client.post(Self.path, body)
            #expect(response.status == .created)
            #expect(response.headers[.contentType] == "application/json")
            #expect(response.headers[.cacheControl] == "no-store")
            #expect(try response.keys == ["user_id", "api_key", "api_secret", "subscription"])
            let answer = try response.json
            #expect(answer["subscription"] == ["tier": "starter", "status": "active"])

            let stored = try #require(fixture.accounts.state.withLock { $0.registrations.first })
            let key = try #require(answer["api_key"]?.stringValue)
            let secret = try #require(answer["api_secret"]?.stringValue)
            #expect(answer["user_id"]?.stringValue == stored.userID.description)
            #expect(stored.email == "ada@example.com")
            #expect(stored.tier == "professional")
            #expect(!stored.isAdmin)
            #expect(stored.keyHash == fixture.keys.hash(key))
            #expect(stored.keySecretHash == fixture.keys.hash(secret))
            let hash = try #require(stored.passwordHash)
            #expect(try await fixture.passwords.verify("correct horse", against: hash))

            let listing = try await client.get("/v1/templates", [.apiKey: key])
            #expect(listing.status == .ok)
        }
    }

    @Test func onlyTheEmailIsRequired() async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            let response = try await client.post(Self.path, #"{"email":"a@example.com","password":null}"#)
            #expect(response.status == .created)
        }
        let stored = try #require(fixture.accounts.state.withLock { $0.registrations.first })
        #expect(stored.passwordHash == nil)
        #expect(stored.tier == "starter")
    }

    @Test func oneMailboxHasOneAccount() async throws {
        try await Fixture().test { client in
            _ = try await client.post(Self.path, #"{"email":"a@example.com"}"#)
            let second = try await client.post(Self.path, #"{"email":"A@EXAMPLE.com"}"#)
            _ = try second.problem(.emailTaken)
        }
    }

    @Test func closedRegistrationIsRefusedBeforeTheBodyIsRead() async throws {
        var fixture = Fixture()
        fixture.registration = .closed
        try await fixture.test { client in
            _ = try await client.post(Self.path, "not json", [:]).problem(.registrationClosed)
        }
    }

    @Test(arguments: [
        (#"{}"#, ["/email required"]),
        (#"{"email":"nobody"}"#, ["/email invalid_email"]),
        (#"{"email":7}"#, ["/email wrong_type"]),
        (#"{"email":"a@example.com","password":"short"}"#, ["/password invalid_length"]),
        (#"{"email":"a@example.com","password":["a"]}"#, ["/password wrong_type"]),
        (#"{"email":"a@example.com","subscription_tier":"gold"}"#, ["/subscription_tier not_allowed"]),
        (#"{"email":"a@example.com","is_admin":true}"#, ["/is_admin unknown_field"]),
        (
            #"{"emial":"a@example.com","pass/word":1}"#,
            ["/email required", "/emial unknown_field", "/pass~1word unknown_field"]
        ),
        (#"[]"#, [" wrong_type"]),
    ])
    func namesEverythingThatIsWrong(body: String, faults: [String]) async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            let problem = try await client.post(Self.path, body).problem(.invalidRequest)
            #expect(problem.faults == faults)
        }
        #expect(fixture.accounts.state.withLock { $0.registrations.isEmpty })
    }

    @Test func suggestsTheFieldAndTheTierThatWereMeant() async throws {
        try await Fixture().test { client in
            let body = #"{"emial":"a@example.com","subscription_tier":"profesional"}"#
            let problem = try await client.post(Self.path, body).problem(.invalidRequest)
            let suggestions = problem["errors"]?.arrayValue?.map { $0["suggestion"]?.stringValue }
            #expect(suggestions == [nil, "professional", "email"])
        }
    }

    @Test func anAnswerStaysSmallWhateverWasSent() async throws {
        try await Fixture().test { client in
            let fields = (0..<500).map { "\"field\($0)\":1" }.joined(separator: ",")
            let response = try await client.post(Self.path, "{\(fields)}")
            let problem = try response.problem(.invalidRequest)
            #expect(problem.faults.count == Problem.maximumErrors)
            #expect(response.body.readableBytes < 16 * 1_024)
        }
    }

    @Test func tooManyPasswordsAtOnceGet503() async throws {
        var fixture = Fixture()
        fixture.passwords = PasswordHasher(maximumWaiting: 0)
        try await fixture.test { client in
            let response = try await client.post(Self.path, #"{"email":"a@example.com","password":"long enough"}"#)
            _ = try response.problem(.overloaded)
            #expect(response.headers[.retryAfter] == "1")
        }
    }

    @Test func noSecretReachesALog() async throws {
        let fixture = Fixture()
        try await fixture.test { client in
            let body = #"{"email":"a@example.com","password":"correct horse"}"#
            let answer = try await client.post(Self.path, body).json
            let key = try #require(answer["api_key"]?.stringValue)
            fixture.reader.state.withLock { $0.failure = LedgerError(.rejected, "23505 users_pkey") }
            _ = try await client.get("/v1/executions/\(FakeAdmission.executionID)", [.apiKey: key])
            let log = fixture.logs.all.joined(separator: "\n")
            #expect(log.contains("23505 users_pkey"))
            for secret in [key, try #require(answer["api_secret"]?.stringValue), "correct horse"] {
                #expect(!log.contains(secret))
            }
        }
    }
}
