extension Migration {
    static let templateTables = """
        CREATE TABLE template_categories (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            name varchar(100) UNIQUE NOT NULL,
            description text,
            slug varchar(100) UNIQUE NOT NULL,
            icon_url text,
            sort_order integer NOT NULL DEFAULT 0,
            is_active boolean NOT NULL DEFAULT true
        );

        CREATE TABLE templates (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            category_id uuid REFERENCES template_categories (id),
            creator_user_id uuid REFERENCES users (id),
            name varchar(200) NOT NULL,
            description text,
            slug varchar(200) COLLATE "C" NOT NULL,
            version varchar(100) NOT NULL DEFAULT '1.0.0',
            template_schema jsonb NOT NULL,
            configuration_schema jsonb NOT NULL,
            estimated_cost_min numeric(24,12),
            estimated_cost_max numeric(24,12),
            estimated_time_minutes integer,
            complexity_level varchar(20) NOT NULL DEFAULT 'beginner',
            tags text[] NOT NULL DEFAULT '{}',
            is_public boolean NOT NULL DEFAULT false,
            is_premium boolean NOT NULL DEFAULT false,
            premium_price numeric(24,12),
            usage_count integer NOT NULL DEFAULT 0,
            rating_average numeric(3,2),
            rating_count integer NOT NULL DEFAULT 0,
            is_active boolean NOT NULL DEFAULT true,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE UNIQUE INDEX idx_templates_slug ON templates (slug);
        CREATE INDEX idx_templates_category ON templates (category_id);
        CREATE INDEX idx_active_templates ON templates (id) WHERE is_active = true;

        -- Published versions: never changed, never removed.
        CREATE TABLE template_versions (
            template_id uuid NOT NULL REFERENCES templates (id),
            version varchar(100) NOT NULL,
            definition jsonb NOT NULL,
            -- SHA-256 of the definition's jsonb text.
            digest text NOT NULL,
            published_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (template_id, version)
        );
        """
}
