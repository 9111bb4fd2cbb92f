extension Migration {
    static let executionTables = """
        -- Hosts. A host's lease, in the server's time, covers all executions it owns.
        CREATE TABLE workers (
            id uuid PRIMARY KEY,
            application_name text NOT NULL,
            lease interval NOT NULL,
            lease_expires_at timestamptz NOT NULL,
            -- Since when the lease has been renewed without a gap: who has not been here for a lease cannot know
            -- whether others had a server to renew with.
            steady_since timestamptz NOT NULL DEFAULT now(),
            started_at timestamptz NOT NULL DEFAULT now()
        ) WITH (fillfactor = 50);

        -- This table, its steps and its logs are written at every checkpoint, by one statement under the fence. They
        -- have neither checks nor a reference from child to parent: PostgreSQL parses a check anew for each statement,
        -- and the fence has locked the parent already. Together these were a third of a checkpoint's work.
        CREATE TABLE template_executions (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            user_id uuid NOT NULL REFERENCES users (id),
            template_id uuid REFERENCES templates (id),
            template_slug text,
            template_version text,
            execution_config jsonb NOT NULL,
            plan jsonb,
            status varchar(50) NOT NULL DEFAULT 'queued',
            progress_percentage integer NOT NULL DEFAULT 0,
            current_step text,
            total_steps integer,
            start_time timestamptz,
            end_time timestamptz,
            result_data jsonb,
            error_message text,
            error jsonb,
            cost_breakdown jsonb,
            total_cost numeric(24,12) NOT NULL DEFAULT 0,
            deployed_url text,
            github_repo_url text,
            artifacts_s3_path text,
            webhook_url text,
            idempotency_key text,
            -- The fence: only this worker in this epoch writes the execution and what hangs on it.
            owner uuid,
            epoch bigint NOT NULL DEFAULT 0,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            UNIQUE (user_id, idempotency_key)
        ) WITH (fillfactor = 70, toast_tuple_target = 512, autovacuum_vacuum_scale_factor = 0.05);
        -- Written at every checkpoint: out-of-line storage would double the work. The plan never changes.
        ALTER TABLE template_executions ALTER COLUMN cost_breakdown SET STORAGE MAIN;

        CREATE INDEX idx_executions_user_status ON template_executions (user_id, status);
        CREATE INDEX idx_executions_template ON template_executions (template_id);
        -- An index on the owner, or one whose predicate a fence's `status = 'running'` implies, would tempt the
        -- planner: a fence must go by the key.
        CREATE INDEX idx_executions_unfinished ON template_executions (created_at) WHERE end_time IS NULL;

        -- A step that has ended: its checkpoint.
        CREATE TABLE execution_steps (
            execution_id uuid NOT NULL,
            step_id text NOT NULL,
            name text NOT NULL,
            state text NOT NULL,
            output jsonb NOT NULL DEFAULT 'null',
            error jsonb,
            attempts integer NOT NULL,
            started_at timestamptz NOT NULL,
            finished_at timestamptz NOT NULL,
            PRIMARY KEY (execution_id, step_id)
        );

        CREATE TABLE execution_logs (
            execution_id uuid NOT NULL,
            sequence bigint NOT NULL,
            time timestamptz NOT NULL,
            level text NOT NULL,
            step text,
            message text NOT NULL,
            PRIMARY KEY (execution_id, sequence)
        );
        """
}
