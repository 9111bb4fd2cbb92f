extension Migration {
    static let effectTables = """
        -- What steps do to the outside world. A row is durable before its effect begins, so that after a crash the
        -- provider can be asked what became of it, and cleaning up misses nothing.
        CREATE TABLE execution_effects (
            execution_id uuid NOT NULL REFERENCES template_executions (id),
            step_id text NOT NULL,
            -- Goes to the provider, wherever it takes one: the same over all attempts and hosts.
            key text NOT NULL UNIQUE,
            command text NOT NULL,
            provider text NOT NULL,
            plugin_id text NOT NULL,
            -- What was asked, without secrets: looking it up and undoing it say the same again.
            request jsonb NOT NULL,
            state text NOT NULL CHECK (state IN ('intended', 'done', 'undone', 'undo_failed')),
            resource jsonb,
            error text,
            -- The order in which they were begun; undoing goes backwards.
            number bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (execution_id, step_id)
        );

        -- Custom domains that were set up before their DNS records were in place.
        CREATE TABLE domain_watches (
            execution_id uuid NOT NULL,
            step_id text NOT NULL,
            domain text NOT NULL,
            state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'active', 'abandoned')),
            -- Looks that were begun, the one under way among them.
            attempts integer NOT NULL DEFAULT 0,
            next_look_at timestamptz NOT NULL DEFAULT now(),
            created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (execution_id, step_id),
            FOREIGN KEY (execution_id, step_id) REFERENCES execution_effects
        );
        CREATE INDEX idx_domain_watches_due ON domain_watches (next_look_at) WHERE state = 'pending';
        """
}
