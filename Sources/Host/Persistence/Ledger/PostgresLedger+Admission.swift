extension PostgresLedger {
    /// Runs that are looked at to say how long a template's runs take, and how few say nothing.
    private static let (pastRuns, fewestPastRuns) = (50, 3)
    /// Unfinished runs that are looked at, the oldest, to say how long this one will wait.
    private static let unfinishedRuns = 1_000

    /// How much later a user's next run has its turn for each that is unfinished already. Long, so that whoever has
    /// fewer comes first; not for ever, so that nobody waits behind newcomers without end.
    private static let turnInterval = "1 hour"

    /// Admits a run and says when it will be done. The row's `created_at` is the id's own time, and `turn_at` the order
    /// in which runs are claimed: by how many its user had before it, then by age.
    ///
    /// How long it will wait is Little's law on what the unfinished runs show. Hosts take what waits within seconds
    /// as long as they have room; so where something has waited for longer they are full, and those that run now
    /// are all that fit. Each place becomes free once a duration, taken as this template's, for want of a better
    /// one: `queued / running` durations. Where nothing waits, or nothing runs, the capacity is unknown and the
    /// wait is taken as none. Of more than a thousand unfinished runs the rest are not counted: admission stays
    /// cheap, the estimate is then too early.
    static let admission = Statement(
        "admit",
        """
        WITH template AS (SELECT id FROM templates WHERE slug = $3),
        past AS (
            SELECT count(*) AS runs, percentile_cont(0.5) WITHIN GROUP (ORDER BY duration) AS median
            FROM (
                SELECT end_time - start_time AS duration FROM template_executions
                WHERE template_id = (SELECT id FROM template) AND status = 'completed'
                ORDER BY end_time DESC LIMIT \(pastRuns)) AS run),
        ahead AS (
            SELECT count(*) FILTER (WHERE status = 'queued') AS queued,
                count(*) FILTER (WHERE status = 'running') AS running,
                coalesce(min(created_at) FILTER (WHERE status = 'queued') < now() - interval '10 seconds', false)
                    AS is_full
            FROM (
                SELECT status, created_at FROM template_executions
                WHERE end_time IS NULL ORDER BY turn_at LIMIT \(unfinishedRuns)) AS unfinished),
        own AS (
            SELECT count(*) AS runs FROM (
                SELECT FROM template_executions
                WHERE user_id = $2::uuid AND status IN ('queued', 'running') LIMIT $12::integer) AS unfinished),
        room AS (
            -- All are counted only where the few that were looked at above may be all that may be.
            SELECT own.runs >= $12::integer AS user_is_full,
                CASE WHEN queued + running < least(\(unfinishedRuns), $13::integer) THEN false ELSE (
                    SELECT count(*) FROM (
                        SELECT FROM template_executions
                        WHERE end_time IS NULL ORDER BY turn_at LIMIT $13::integer) AS unfinished)
                    >= $13::integer END AS is_full
            FROM ahead, own),
        expected AS (
            SELECT now() + duration * (1 + CASE WHEN is_full AND running > 0 THEN queued / running::float8 ELSE 0 END)
                AS completion
            FROM ahead, (
                SELECT CASE WHEN runs >= \(fewestPastRuns) THEN median ELSE $11::bigint * interval '1 millisecond' END
                    AS duration
                FROM past) AS typical),
        admitted AS (
            INSERT INTO template_executions (
                id, user_id, template_id, template_slug, template_version, execution_config, plan, total_steps,
                webhook_url, idempotency_key, created_at, estimated_completion, turn_at)
            SELECT $1::uuid, $2::uuid, template.id, $3, $4, $5::jsonb, $6::jsonb, $7::integer, $8, $9,
                $10::timestamptz, expected.completion, $10::timestamptz + own.runs * interval '\(turnInterval)'
            FROM template, expected, own, room WHERE NOT (room.user_is_full OR room.is_full)
            ON CONFLICT DO NOTHING
            RETURNING id, estimated_completion),
        standing AS (
            SELECT id, estimated_completion FROM admitted
            UNION ALL
            SELECT id, estimated_completion FROM template_executions
            WHERE user_id = $2::uuid AND idempotency_key = $9
            UNION ALL
            SELECT id, estimated_completion FROM template_executions WHERE id = $1::uuid AND user_id = $2::uuid
            LIMIT 1)
        SELECT EXISTS (SELECT FROM template), (SELECT id FROM standing), (
            -- Those that an earlier release admitted have none.
            SELECT (extract(epoch FROM coalesce(standing.estimated_completion, expected.completion)) * 1000000)::bigint
            FROM standing, expected), (SELECT user_is_full FROM room), (SELECT is_full FROM room)
        """)
}
