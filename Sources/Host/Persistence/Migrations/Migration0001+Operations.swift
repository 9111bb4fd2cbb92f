extension Migration {
    static let operationTables = """
        CREATE TABLE deployments (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            execution_id uuid REFERENCES template_executions (id),
            provider varchar(50) NOT NULL,
            deployment_id varchar(255),
            app_url text,
            status varchar(50) NOT NULL DEFAULT 'deploying',
            config jsonb,
            environment_variables jsonb,
            build_logs text,
            deploy_logs text,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX idx_deployments_execution ON deployments (execution_id);

        CREATE TABLE system_health_checks (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            service_name varchar(100) NOT NULL,
            status varchar(20) NOT NULL,
            response_time_ms integer,
            error_message text,
            metadata jsonb,
            checked_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX idx_health_checks_service ON system_health_checks (service_name, checked_at);
        """
}
