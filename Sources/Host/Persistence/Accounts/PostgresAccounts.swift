public import Domain

/// Users and their API keys in PostgreSQL.
public struct PostgresAccounts: AccountStore {
    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// Creates user, first key and subscription together. A paid tier's subscription is `incomplete`, and its user
    /// has the starter tier's rights, until it is paid or approved.
    ///
    /// - Throws: `notFound` where no active plan has the tier's name.
    public func register(_ registration: Registration) async throws(LedgerError) -> RegistrationOutcome {
        try await database.transaction { session throws(DatabaseError) in
            guard try insertUser(registration, session) else {
                // The same registration sent again, after a commit whose answer was lost, is no conflict.
                let rows = try session.query(
                    "SELECT id FROM users WHERE lower(email) = lower($1)", [.text(registration.email)])
                guard !rows.isEmpty else {
                    throw .aborted(LedgerError(.rejected, "a user with this id or API key exists"))
                }
                guard rows.uuid(0, 0) == registration.userID else { return .emailTaken }
                return .created(subscription: try subscription(registration.userID, session))
            }
            _ = try session.query(
                """
                INSERT INTO api_keys (id, user_id, key_name, api_key) VALUES ($1::uuid, $2::uuid, 'default', $3)
                """, [.uuid(registration.keyID), .uuid(registration.userID), .text(registration.keyHash)])
            let subscribed = try session.query(
                """
                INSERT INTO user_subscriptions (user_id, plan_id, status, current_period_start, current_period_end)
                SELECT $1::uuid, id, CASE WHEN monthly_price = 0 THEN 'active' ELSE 'incomplete' END,
                    now(), now() + interval '1 month'
                FROM subscription_plans WHERE slug = $2 AND is_active
                RETURNING id
                """, [.uuid(registration.userID), .text(registration.tier)])
            guard !subscribed.isEmpty else {
                throw .aborted(LedgerError(.notFound, "no active subscription plan has this tier's name"))
            }
            return .created(subscription: try subscription(registration.userID, session))
        }
    }

    public func principal(keyHash: String) async throws(LedgerError) -> Principal? {
        let rows = try await database.read(Self.principal, [.text(keyHash)])
        guard !rows.isEmpty, let user = rows.uuid(0, 0), let key = rows.uuid(0, 1) else { return nil }
        return Principal(userID: user, keyID: key, tier: rows.text(0, 2) ?? "starter", isAdmin: rows.bool(0, 3))
    }

    private func insertUser(_ registration: Registration, _ session: Session) throws(DatabaseError) -> Bool {
        let rows = try session.query(
            """
            INSERT INTO users (
                id, email, password_hash, api_key, api_key_secret, is_admin, subscription_tier,
                monthly_api_calls_included)
            SELECT $1::uuid, $2, $3, $4, $5, $6::boolean, plan.slug, plan.api_calls_included
            FROM subscription_plans plan
            WHERE plan.slug = (
                SELECT CASE WHEN monthly_price = 0 THEN slug ELSE 'starter' END
                FROM subscription_plans WHERE slug = $7 AND is_active
                UNION ALL SELECT 'starter' LIMIT 1)
            ON CONFLICT DO NOTHING
            RETURNING id
            """,
            [
                .uuid(registration.userID), .text(registration.email), .text(registration.passwordHash),
                .text(registration.keyHash), .text(registration.keySecretHash), .bool(registration.isAdmin),
                .text(registration.tier),
            ])
        return !rows.isEmpty
    }

    /// What is included is what the user has now: the starter tier's share while a paid one is incomplete.
    private func subscription(_ user: UUIDv7, _ session: Session) throws(DatabaseError) -> String {
        let rows = try session.query(
            """
            SELECT row_to_json(subscription) FROM (
                SELECT s.id, p.slug AS tier, s.status,
                    to_char(s.current_period_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
                        AS current_period_start,
                    to_char(s.current_period_end AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
                        AS current_period_end,
                    u.monthly_api_calls_included AS api_calls_included, u.monthly_api_calls_used AS api_calls_used,
                    \(decimal("p.overage_price_per_call")) AS overage_price_per_call
                FROM user_subscriptions s JOIN subscription_plans p ON p.id = s.plan_id JOIN users u ON u.id = s.user_id
                WHERE s.user_id = $1::uuid
            ) AS subscription
            """, [.uuid(user)])
        guard !rows.isEmpty, let json = rows.text(0, 0) else {
            throw .aborted(LedgerError(.notFound, "the user has no subscription"))
        }
        return json
    }

    private static let principal = Statement(
        "principal",
        """
        SELECT u.id, k.id, u.subscription_tier, u.is_admin
        FROM api_keys k JOIN users u ON u.id = k.user_id
        WHERE k.api_key = $1 AND k.is_active AND u.is_active AND (k.expires_at IS NULL OR k.expires_at > now())
        """)
}
