extension Migration {
    static let accountTables = """
        CREATE TABLE users (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            email varchar(320) NOT NULL,
            password_hash varchar(255),
            subscription_tier varchar(50) NOT NULL DEFAULT 'starter',
            -- Hashes of the first key and its secret; never the key.
            api_key varchar(128) NOT NULL,
            api_key_secret varchar(128) NOT NULL,
            monthly_api_calls_included integer NOT NULL DEFAULT 10,
            monthly_api_calls_used integer NOT NULL DEFAULT 0,
            billing_cycle_start timestamptz NOT NULL DEFAULT now(),
            is_active boolean NOT NULL DEFAULT true,
            is_admin boolean NOT NULL DEFAULT false,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        );
        -- One account an address, however it is capitalised.
        CREATE UNIQUE INDEX users_email_key ON users (lower(email));
        CREATE UNIQUE INDEX idx_users_api_key ON users (api_key);
        CREATE INDEX idx_users_email ON users (email);

        CREATE TABLE api_keys (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
            key_name varchar(100) NOT NULL,
            api_key varchar(128) NOT NULL,
            permissions jsonb NOT NULL DEFAULT '{}',
            rate_limit_per_minute integer NOT NULL DEFAULT 60,
            rate_limit_per_day integer NOT NULL DEFAULT 1000,
            is_active boolean NOT NULL DEFAULT true,
            last_used_at timestamptz,
            expires_at timestamptz,
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE UNIQUE INDEX idx_api_keys_key ON api_keys (api_key);
        CREATE INDEX idx_active_api_keys ON api_keys (id) WHERE is_active = true;
        CREATE INDEX idx_api_keys_user ON api_keys (user_id);
        """
}
