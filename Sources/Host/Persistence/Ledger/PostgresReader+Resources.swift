extension PostgresReader {
    /// What an execution made in the outside world. Not what was asked for it: a request may be long, and holds
    /// nothing that its owner does not find in the template.
    static let resources = Statement(
        "resources",
        """
        SELECT json_build_object(
            'effects', (
                SELECT coalesce(json_agg(row_to_json(effect)), '[]') FROM (
                    SELECT step_id, command, provider, state, resource, error, \(time("created_at")) AS created_at,
                        \(time("updated_at")) AS updated_at
                    FROM execution_effects WHERE execution_id = e.id ORDER BY number) AS effect),
            'deployments', (
                SELECT coalesce(json_agg(row_to_json(deployment)), '[]') FROM (
                    SELECT provider, deployment_id, status, app_url AS url, \(time("created_at")) AS created_at,
                        \(time("updated_at")) AS updated_at
                    FROM deployments d WHERE execution_id = e.id ORDER BY d.created_at, id) AS deployment),
            'domains', (
                SELECT coalesce(json_agg(row_to_json(watch)), '[]') FROM (
                    SELECT domain, state AS status, \(time("created_at")) AS created_at
                    FROM domain_watches w WHERE execution_id = e.id ORDER BY w.created_at, step_id) AS watch),
            'monitors', (
                SELECT coalesce(json_agg(row_to_json(monitor)), '[]') FROM (
                    SELECT name, url, extract(epoch FROM period)::bigint AS interval_seconds,
                        stopped_at IS NULL AS is_running,
                        CASE WHEN last_checked_at IS NOT NULL THEN json_build_object(
                            'status', last_status, 'response_time_ms', last_response_time_ms, 'error', last_error,
                            'checked_at', \(time("last_checked_at"))) END AS last_check
                    FROM health_monitors m WHERE execution_id = e.id ORDER BY m.created_at, id) AS monitor))
        FROM template_executions e WHERE e.id = $1::uuid AND e.user_id = $2::uuid
        """)
}
