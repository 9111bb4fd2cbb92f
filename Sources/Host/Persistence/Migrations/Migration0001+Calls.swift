extension Migration {
    static let callTables = """
        -- One row a provider call, made durable before the call is sent.
        CREATE TABLE ai_api_calls (
            id uuid NOT NULL DEFAULT gen_random_uuid(),
            user_id uuid REFERENCES users (id),
            execution_id uuid REFERENCES template_executions (id),
            ai_provider text NOT NULL,
            model_name text,
            endpoint text,
            -- All that went in; the three classes of cached tokens are part of it.
            input_tokens bigint CHECK (input_tokens >= 0),
            output_tokens bigint CHECK (output_tokens >= 0),
            cost numeric(24,12) CHECK (cost >= 0),
            latency_ms integer CHECK (latency_ms >= 0),
            success boolean DEFAULT true,
            error_message text,
            created_at timestamptz NOT NULL DEFAULT now(),
            step_id text,
            attempt integer CHECK (attempt > 0),
            state text NOT NULL DEFAULT 'settled' CHECK (state IN ('open', 'settled', 'estimated', 'unknown')),
            plugin_id text,
            plugin_version text,
            cache_read_tokens bigint CHECK (cache_read_tokens >= 0),
            cache_write_5m_tokens bigint CHECK (cache_write_5m_tokens >= 0),
            cache_write_1h_tokens bigint CHECK (cache_write_1h_tokens >= 0),
            raw_usage jsonb,
            price_version text,
            provider_request_id text,
            settled_at timestamptz,
            PRIMARY KEY (id, created_at),
            CHECK (state <> 'open' OR settled_at IS NULL)
        ) PARTITION BY RANGE (created_at);
        CREATE TABLE ai_api_calls_default PARTITION OF ai_api_calls DEFAULT;

        CREATE INDEX idx_ai_calls_user_date ON ai_api_calls (user_id, created_at);
        CREATE INDEX idx_ai_calls_execution ON ai_api_calls (execution_id);

        -- Makes the partitions of this month (UTC) and of `ahead` months after it, as far as they are missing, and
        -- moves rows of those months out of the default partition. Answers how many it made.
        CREATE FUNCTION ensure_ai_api_calls_partitions(ahead integer) RETURNS integer
        LANGUAGE plpgsql AS $function$
        DECLARE
            month timestamp;
            lower timestamptz;
            upper timestamptz;
            partition text;
            made integer := 0;
        BEGIN
            PERFORM pg_advisory_xact_lock(hashtext('ai_api_calls partitions'));
            FOR month IN
                SELECT date_trunc('month', now() AT TIME ZONE 'UTC') + number * interval '1 month'
                FROM generate_series(0, ahead) AS number
            LOOP
                lower := month AT TIME ZONE 'UTC';
                upper := (month + interval '1 month') AT TIME ZONE 'UTC';
                partition := to_char(month, '"ai_api_calls_y"YYYY"m"MM');
                CONTINUE WHEN to_regclass(partition) IS NOT NULL;
                EXECUTE format(
                    'CREATE TABLE %I (LIKE ai_api_calls INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
                EXECUTE format(
                    'WITH moved AS (
                         DELETE FROM ai_api_calls_default WHERE created_at >= %L AND created_at < %L RETURNING *
                     ) INSERT INTO %I SELECT * FROM moved', lower, upper, partition);
                EXECUTE format(
                    'ALTER TABLE ai_api_calls ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                    partition, lower, upper);
                made := made + 1;
            END LOOP;
            RETURN made;
        END
        $function$;
        SELECT ensure_ai_api_calls_partitions(3);

        CREATE MATERIALIZED VIEW user_usage_summary AS
            SELECT user_id, date_trunc('day', created_at, 'UTC') AS usage_date, count(*) AS api_calls_count,
                sum(cost) AS total_cost, avg(latency_ms) AS avg_latency
            FROM ai_api_calls
            WHERE created_at >= now() - interval '30 days'
            GROUP BY user_id, date_trunc('day', created_at, 'UTC');
        CREATE UNIQUE INDEX user_usage_summary_user_date ON user_usage_summary (user_id, usage_date);
        """
}
