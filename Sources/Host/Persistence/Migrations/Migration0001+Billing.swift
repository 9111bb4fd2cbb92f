extension Migration {
    static let billingTables = """
        CREATE TABLE subscription_plans (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            name varchar(100) UNIQUE NOT NULL,
            slug varchar(100) UNIQUE NOT NULL,
            monthly_price numeric(24,12) NOT NULL CHECK (monthly_price >= 0),
            api_calls_included integer NOT NULL CHECK (api_calls_included >= 0),
            -- Null: no overage, the plan stops hard.
            overage_price_per_call numeric(24,12) CHECK (overage_price_per_call >= 0),
            features jsonb NOT NULL DEFAULT '{}',
            is_active boolean NOT NULL DEFAULT true
        );

        CREATE TABLE user_subscriptions (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            user_id uuid UNIQUE REFERENCES users (id),
            plan_id uuid REFERENCES subscription_plans (id),
            stripe_subscription_id varchar(255),
            status varchar(50) NOT NULL DEFAULT 'active',
            current_period_start timestamptz,
            current_period_end timestamptz,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        );

        CREATE TABLE billing_invoices (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            user_id uuid REFERENCES users (id),
            subscription_id uuid REFERENCES user_subscriptions (id),
            stripe_invoice_id varchar(255),
            amount numeric(24,12),
            tax_amount numeric(24,12),
            total_amount numeric(24,12),
            status varchar(50),
            billing_period_start timestamptz,
            billing_period_end timestamptz,
            api_calls_count integer,
            overage_calls integer,
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX idx_invoices_user ON billing_invoices (user_id, created_at);
        """

    static let subscriptionPlans = """
        INSERT INTO subscription_plans (name, slug, monthly_price, api_calls_included, overage_price_per_call) VALUES
            ('Starter', 'starter', 0, 10, NULL),
            ('Professional', 'professional', 49, 500, 0.10),
            ('Enterprise', 'enterprise', 299, 5000, 0.05);
        """
}
