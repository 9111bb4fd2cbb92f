import Domain
import Hummingbird

/// `POST /v1/auth/register`.
struct RegistrationRoutes: Sendable {
    private enum Tier: String, CaseIterable { case starter, professional, enterprise }

    private struct Input {
        let email: String
        let password: String?
        let tier: Tier
    }

    private static let bodyLimit = 16 * 1_024
    private static let passwordLength = 8...256

    let dependencies: APIDependencies

    func add(to router: Router<APIContext>) {
        router.post(RouterPath(Endpoint.register.rawValue)) { request, _ in try await register(request) }
    }

    private func register(_ request: Request) async throws -> Response {
        guard dependencies.registration == .open else {
            throw Problem(
                .registrationClosed,
                "This installation does not take registrations; ask its operator for an account.")
        }
        var query = QueryReader(request)
        try query.finish()
        let input = try Self.read(try await JSONBody.read(request, limit: Self.bodyLimit))
        let credentials = APICredentials.generate()
        var passwordHash: String?
        if let password = input.password { passwordHash = try await dependencies.passwords.hash(password) }
        let now = dependencies.clock.now()
        let registration = Registration(
            userID: UUIDv7(at: now), keyID: UUIDv7(at: now), email: input.email, passwordHash: passwordHash,
            tier: input.tier.rawValue, keyHash: dependencies.keys.hash(credentials.key),
            keySecretHash: dependencies.keys.hash(credentials.secret), isAdmin: false)
        switch try await dependencies.accounts.register(registration) {
        case .emailTaken:
            throw Problem(.emailTaken, "There is an account with this email address already.")
        case .created(let subscription):
            return .json(
                """
                {"user_id":"\(registration.userID)","api_key":"\(credentials.key)",\
                "api_secret":"\(credentials.secret)","subscription":\(subscription)}
                """, status: .created)
        }
    }

    private static func read(_ object: JSONObject) throws(Problem) -> Input {
        var reader = ObjectReader(object)
        let email = reader.string("email", isRequired: true)
        let password = reader.string("password", isRequired: false)
        let tierName = reader.string("subscription_tier", isRequired: false) ?? Tier.starter.rawValue
        let address = email.flatMap { EmailAddress($0) }
        if let email, address == nil {
            reader.refuse(
                "email", "invalid_email",
                "\"\(email.clipped)\" is not an email address of at most 255 characters, such as name@example.com.")
        }
        if let password, !passwordLength.contains(password.count) || password.utf8.count > 1_024 {
            reader.refuse(
                "password", "invalid_length",
                "A password has \(passwordLength.lowerBound) to \(passwordLength.upperBound) characters.")
        }
        let tier = Tier(rawValue: tierName)
        if tier == nil {
            let allowed = Tier.allCases.map(\.rawValue)
            reader.refuse(
                "subscription_tier", "not_allowed",
                "\"\(tierName.clipped)\" is not a tier; allowed: \(allowed.joined(separator: ", ")).",
                suggestion: Spelling.nearest(to: tierName, among: allowed))
        }
        try reader.finish()
        return Input(email: address?.text ?? "", password: password, tier: tier ?? .starter)
    }
}
