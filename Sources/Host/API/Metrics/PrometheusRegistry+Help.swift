extension PrometheusRegistry {
    /// HELP texts of the metrics that the host's modules record.
    public static let standardHelp = [
        "ai_api_request_duration_seconds": "Duration of calls to AI providers, from sending to the end of the answer.",
        "database_connections_active": "Database connections with a statement in flight.",
        "database_connections_idle": "Open database connections without a statement in flight.",
        "http_connections_refused_total": "Connections that found the host full.",
        "http_request_duration_seconds": "Time from a request's head to its answer, by route.",
        "http_requests_total": "Requests answered, by method, route and status.",
        "metrics_series_dropped_total": "Series not exposed because of the limits on series, by metric.",
        "plugin_misbehaviour_total": "Breaches of the plugin ABI's rules, by plugin and kind.",
        "template_executions_success_total": "Template executions that ended as completed.",
        "template_executions_total": "Template executions that ended, whatever their outcome.",
        "webhook_deliveries_total": "Attempts to deliver webhook events, by outcome.",
    ]
}
