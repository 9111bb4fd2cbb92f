import Domain
import HTTPTypes
import Hummingbird

/// Finds out who sends a request, by its `X-API-Key`, or where git is the client by HTTP Basic.
struct Authenticator: Sendable {
    /// How a key may come.
    enum Scheme: Sendable {
        /// In `X-API-Key`.
        case header
        /// There, or as the password of HTTP Basic under any user name.
        case basicToo
    }

    private let accounts: any AccountStore
    private let keys: APIKeyHasher
    private let clock: any WallClock
    private let cache = PrincipalCache()

    init(accounts: any AccountStore, keys: APIKeyHasher, clock: any WallClock) {
        self.accounts = accounts
        self.keys = keys
        self.clock = clock
    }

    /// From here on the request counts as the caller's.
    ///
    /// - Throws: `Problem` where there is no valid key or the caller has too many requests under way, `LedgerError`
    ///   where the key cannot be looked up.
    func principal(
        of request: Request, in context: APIContext, accepting scheme: Scheme = .header
    ) async throws -> Principal {
        let principal = try await principal(of: request, accepting: scheme)
        try context.turn?.belongs(to: principal.userID)
        return principal
    }

    private func principal(of request: Request, accepting scheme: Scheme) async throws -> Principal {
        guard let key = Self.key(in: request.headers, scheme) else { throw scheme.missingKey }
        guard APICredentials.isWellFormed(key: key) else { throw scheme.invalidKey }
        let hash = keys.hash(key)
        let now = clock.now()
        if let principal = cache.principal(keyHash: hash, at: now) { return principal }
        guard let principal = try await accounts.principal(keyHash: hash) else { throw scheme.invalidKey }
        cache.insert(principal, keyHash: hash, lookedUpAt: now)
        return principal
    }

    private static func key(in headers: HTTPFields, _ scheme: Scheme) -> String? {
        if let key = headers[.apiKey] { return key }
        guard scheme == .basicToo, let authorization = headers[.authorization] else { return nil }
        let parts = authorization.split(separator: " ")
        guard parts.count == 2, parts[0].lowercased() == "basic" else { return nil }
        let digits = parts[1].prefix { $0 != "=" }
        guard let bytes = Base64.decode(digits), let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else {
            return ""
        }
        return String(decoding: bytes[(colon + 1)...], as: UTF8.self)
    }
}

extension Authenticator.Scheme {
    fileprivate var missingKey: Problem {
        switch self {
        case .header:
            Problem(
                .missingAPIKey,
                "This endpoint needs an API key in the X-API-Key header; POST /v1/auth/register gives one.",
                headers: challenge)
        case .basicToo:
            Problem(
                .missingAPIKey,
                "This repository needs an API key: as the password, under any user name, or in the X-API-Key header.",
                headers: challenge)
        }
    }

    /// The same words for a malformed, unknown, revoked and expired key: an answer that told them apart would help
    /// only whoever guesses.
    fileprivate var invalidKey: Problem {
        switch self {
        case .header:
            Problem(.invalidAPIKey, "The API key in X-API-Key is unknown, expired or revoked.", headers: challenge)
        case .basicToo: Problem(.invalidAPIKey, "The API key is unknown, expired or revoked.", headers: challenge)
        }
    }

    private var challenge: HTTPFields {
        switch self {
        case .header: [.wwwAuthenticate: "APIKey realm=\"aibackend\", header=\"X-API-Key\""]
        case .basicToo: [.wwwAuthenticate: "Basic realm=\"aibackend\", charset=\"UTF-8\""]
        }
    }
}
