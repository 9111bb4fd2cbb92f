import Domain
import Testing

@testable import Persistence

@Suite struct AccountTests {
    private static func registration(
        email: String = "Ada@Example.com", tier: String = "starter", key: String = "key-hash", isAdmin: Bool = false
    ) -> Registration {
        Registration(
            userID: TestDatabase.id(), keyID: TestDatabase.id(), email: email, passwordHash: "slow-hash", tier: tier,
            keyHash: key, keySecretHash: "secret-hash", isAdmin: isAdmin)
    }

    @Test func aRegistrationMakesUserKeyAndSubscription() async throws {
        try await TestDatabase.run { test async throws in
            let accounts = PostgresAccounts(test.database)
            let registration = Self.registration(isAdmin: true)
            guard case .created(let text) = try await accounts.register(registration) else {
                throw TestFailure("the user was not created")
            }
            let subscription = try JSON.parse(text)
            #expect(subscription["tier"] == "starter" && subscription["status"] == "active")
            #expect(subscription["api_calls_included"] == 10 && subscription["api_calls_used"] == 0)
            #expect(subscription["overage_price_per_call"] == .null)
            #expect(subscription["id"]?.stringValue.flatMap { UUIDv7($0) } != nil)
            let start = try #require(subscription["current_period_start"]?.stringValue)
            let end = try #require(subscription["current_period_end"]?.stringValue)
            #expect(start < end && end.hasSuffix("Z"))
            let principal = try await accounts.principal(keyHash: "key-hash")
            #expect(
                principal
                    == Principal(
                        userID: registration.userID, keyID: registration.keyID, tier: "starter", isAdmin: true))
        }
    }

    @Test func aPaidTierIsIncompleteWithTheStartersRights() async throws {
        try await TestDatabase.run { test async throws in
            let accounts = PostgresAccounts(test.database)
            guard case .created(let text) = try await accounts.register(Self.registration(tier: "professional")) else {
                throw TestFailure("the user was not created")
            }
            let subscription = try JSON.parse(text)
            #expect(subscription["tier"] == "professional" && subscription["status"] == "incomplete")
            #expect(subscription["api_calls_included"] == 10 && subscription["overage_price_per_call"] == "0.10")
            let principal = try await accounts.principal(keyHash: "key-hash")
            #expect(principal?.tier == "starter" && principal?.isAdmin == false)
        }
    }

    @Test func anAddressRegistersOnceHoweverItIsWritten() async throws {
        try await TestDatabase.run { test async throws in
            let accounts = PostgresAccounts(test.database)
            let first = Self.registration()
            for attempt in [first, first] {
                guard case .created = try await accounts.register(attempt) else {
                    throw TestFailure("sending a registration again is not a conflict")
                }
            }
            guard
                case .emailTaken = try await accounts.register(
                    Self.registration(email: "aDA@eXAMPLE.COM", key: "other"))
            else { throw TestFailure("the address was registered twice") }
            #expect(try await test.count("SELECT count(*) FROM users") == 1)
            #expect(try await test.count("SELECT count(*) FROM api_keys") == 1)
        }
    }

    @Test func anUnknownTierWritesNothing() async throws {
        try await TestDatabase.run { test async throws in
            let error = await #expect(throws: LedgerError.self) {
                try await PostgresAccounts(test.database).register(Self.registration(tier: "platinum"))
            }
            #expect(error?.code == .notFound)
            #expect(try await test.count("SELECT count(*) FROM users") == 0)
        }
    }

    @Test func onlyLiveKeysOfActiveUsersCount() async throws {
        try await TestDatabase.run { test async throws in
            let accounts = PostgresAccounts(test.database)
            _ = try await accounts.register(Self.registration())
            let unknown = try await accounts.principal(keyHash: "no-such-hash")
            #expect(unknown == nil)
            for (change, isLive) in [
                ("UPDATE api_keys SET expires_at = now() + interval '1 hour'", true),
                ("UPDATE api_keys SET expires_at = now() - interval '1 second'", false),
                ("UPDATE api_keys SET expires_at = NULL, is_active = false", false),
                ("UPDATE api_keys SET is_active = true", true),
                ("UPDATE users SET is_active = false", false),
            ] {
                try await test.query(change)
                let principal = try await accounts.principal(keyHash: "key-hash")
                #expect((principal != nil) == isLive)
            }
        }
    }
}
