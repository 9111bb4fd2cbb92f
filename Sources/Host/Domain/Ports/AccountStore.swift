/// Who is calling.
public struct Principal: Sendable, Hashable {
    public let userID: UUIDv7
    public let keyID: UUIDv7
    public let tier: String
    public let isAdmin: Bool

    public init(userID: UUIDv7, keyID: UUIDv7, tier: String, isAdmin: Bool) {
        self.userID = userID
        self.keyID = keyID
        self.tier = tier
        self.isAdmin = isAdmin
    }
}

/// A user to be created, with the first API key. Holds hashes only.
public struct Registration: Sendable {
    public let userID: UUIDv7
    public let keyID: UUIDv7
    public let email: String
    public let passwordHash: String?
    public let tier: String
    public let keyHash: String
    public let keySecretHash: String
    public let isAdmin: Bool

    public init(
        userID: UUIDv7, keyID: UUIDv7, email: String, passwordHash: String?, tier: String, keyHash: String,
        keySecretHash: String, isAdmin: Bool
    ) {
        self.userID = userID
        self.keyID = keyID
        self.email = email
        self.passwordHash = passwordHash
        self.tier = tier
        self.keyHash = keyHash
        self.keySecretHash = keySecretHash
        self.isAdmin = isAdmin
    }
}

public enum RegistrationOutcome: Sendable {
    /// The API's `Subscription` object as JSON text.
    case created(subscription: String)
    case emailTaken
}

/// The port to users and their API keys.
public protocol AccountStore: Sendable {
    func register(_ registration: Registration) async throws(LedgerError) -> RegistrationOutcome
    /// The owner of an active, unexpired key of an active user; nil otherwise. `keyHash` is the keyed hash of the
    /// key, as `register` stored it.
    func principal(keyHash: String) async throws(LedgerError) -> Principal?
}
