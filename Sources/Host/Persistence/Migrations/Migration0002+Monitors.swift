extension Migration {
    static let monitorTables = """
        -- Health checks that the hosts keep running. Each is taken by whoever finds it due and puts the next one an
        -- interval ahead, so that one host makes it.
        CREATE TABLE health_monitors (
            id uuid PRIMARY KEY,
            execution_id uuid NOT NULL REFERENCES template_executions (id),
            -- The service_name of its checks. Not unique among executions.
            name text NOT NULL,
            url text NOT NULL,
            -- Null: any from 200 to 299.
            expected_status integer,
            period interval NOT NULL CHECK (period > interval '0'),
            next_check_at timestamptz NOT NULL DEFAULT now(),
            stopped_at timestamptz,
            -- The check made last, here too: names do not tell whose checks are whose.
            last_checked_at timestamptz,
            last_status text,
            last_response_time_ms integer,
            last_error text,
            created_at timestamptz NOT NULL DEFAULT now(),
            UNIQUE (execution_id, name)
        ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
        CREATE INDEX idx_health_monitors_due ON health_monitors (next_check_at) WHERE stopped_at IS NULL;

        -- Applications choose their names; one that is too long must not cost a check.
        ALTER TABLE system_health_checks ALTER COLUMN service_name TYPE text;
        """
}
