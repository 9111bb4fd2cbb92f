import Domain
import HTTPTypes
import Hummingbird

/// Finds out who sends a request, by its `X-API-Key`.
struct Authenticator: Sendable {
    private let accounts: any AccountStore
    private let keys: APIKeyHasher
    private let clock: any WallClock
    private let cache = PrincipalCache()

    init(accounts: any AccountStore, keys: APIKeyHasher, clock: any WallClock) {
        self.accounts = accounts
        self.keys = keys
        self.clock = clock
    }

    /// - Throws: `Problem` where there is no valid key, `LedgerError` where it cannot be looked up.
    func principal(of request: Request) async throws -> Principal {
        guard let key = request.headers[.apiKey] else {
            throw Problem(
                .missingAPIKey,
                "This endpoint needs an API key in the X-API-Key header; POST /v1/auth/register gives one.",
                headers: Self.challenge)
        }
        guard APICredentials.isWellFormed(key: key) else { throw Self.invalidKey }
        let hash = keys.hash(key)
        let now = clock.now()
        if let principal = cache.principal(keyHash: hash, at: now) { return principal }
        guard let principal = try await accounts.principal(keyHash: hash) else { throw Self.invalidKey }
        cache.insert(principal, keyHash: hash, lookedUpAt: now)
        return principal
    }

    private static let challenge: HTTPFields = [.wwwAuthenticate: "APIKey realm=\"aibackend\", header=\"X-API-Key\""]

    /// The same words for a malformed, unknown, revoked and expired key: an answer that told them apart would help
    /// only whoever guesses.
    private static var invalidKey: Problem {
        Problem(.invalidAPIKey, "The API key in X-API-Key is unknown, expired or revoked.", headers: challenge)
    }
}
