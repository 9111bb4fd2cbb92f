/// The template of the specification (section 3.1), as it is written there.
enum SpecificationTemplate {
    static let json = #"""
        {
          "template": {
            "metadata": {
              "id": "saas-starter-v2",
              "name": "SaaS Starter Kit",
              "version": "2.1.0",
              "description": "Complete SaaS application with authentication, billing, and dashboard",
              "author": "AI Backend Team",
              "category": "saas",
              "tags": ["nextjs", "stripe", "auth", "dashboard"],
              "complexity": "intermediate",
              "estimated_time_minutes": 180,
              "estimated_cost": {
                "min": 8.50,
                "max": 15.00,
                "breakdown": {
                  "ai_calls": "$3-6",
                  "deployment": "$2-4",
                  "domain": "$3-5"
                }
              }
            },
            "configuration": {
              "required_inputs": [
                {
                  "key": "app_name",
                  "type": "string",
                  "label": "Application Name",
                  "description": "Name of your SaaS application",
                  "validation": "^[a-zA-Z0-9\\s]{3,50}$"
                },
                {
                  "key": "domain_name",
                  "type": "string",
                  "label": "Domain Name (optional)",
                  "description": "Custom domain for your app",
                  "optional": true
                },
                {
                  "key": "features",
                  "type": "array",
                  "label": "Features to Include",
                  "options": [
                    "user_authentication",
                    "subscription_billing",
                    "admin_dashboard",
                    "email_notifications",
                    "api_endpoints",
                    "analytics_tracking"
                  ],
                  "default": ["user_authentication", "subscription_billing"]
                }
              ],
              "deployment_config": {
                "provider": "railway",
                "environment": "production",
                "auto_deploy": true,
                "health_checks": true
              }
            },
            "execution_steps": [
              {
                "step_id": 1,
                "name": "Architecture Planning",
                "type": "ai_call",
                "ai_provider": "claude",
                "prompt_template": "Plan a {{app_name}} SaaS architecture with features: {{features}}. Include database schema, API endpoints, and component structure.",
                "expected_output": "architecture_plan",
                "timeout_minutes": 5
              },
              {
                "step_id": 2,
                "name": "Frontend Generation",
                "type": "ai_call",
                "ai_provider": "openai_codex",
                "prompt_template": "Generate Next.js frontend code for {{app_name}} with components for {{features}}. Use Tailwind CSS and TypeScript.",
                "depends_on": ["architecture_plan"],
                "expected_output": "frontend_code",
                "timeout_minutes": 10
              },
              {
                "step_id": 3,
                "name": "Backend API Creation",
                "type": "ai_call",
                "ai_provider": "claude",
                "prompt_template": "Create FastAPI backend for {{app_name}} with endpoints for {{features}}. Include database models and authentication.",
                "depends_on": ["architecture_plan"],
                "expected_output": "backend_code",
                "timeout_minutes": 15
              },
              {
                "step_id": 4,
                "name": "Database Setup",
                "type": "system_call",
                "command": "setup_database",
                "parameters": {
                  "schema": "{{architecture_plan.database_schema}}",
                  "provider": "postgresql"
                },
                "depends_on": ["backend_code"],
                "timeout_minutes": 3
              },
              {
                "step_id": 5,
                "name": "Stripe Integration",
                "type": "ai_call",
                "ai_provider": "openai_codex",
                "prompt_template": "Add Stripe subscription billing to {{app_name}} with plans: Basic ($9/month), Pro ($29/month), Enterprise ($99/month)",
                "depends_on": ["backend_code"],
                "expected_output": "billing_integration",
                "timeout_minutes": 8
              },
              {
                "step_id": 6,
                "name": "Testing & Quality Assurance",
                "type": "ai_call",
                "ai_provider": "claude",
                "prompt_template": "Generate comprehensive tests for {{app_name}} including unit tests, integration tests, and E2E tests.",
                "depends_on": ["frontend_code", "backend_code", "billing_integration"],
                "expected_output": "test_suite",
                "timeout_minutes": 10
              },
              {
                "step_id": 7,
                "name": "Deployment Configuration",
                "type": "system_call",
                "command": "create_deployment_config",
                "parameters": {
                  "provider": "{{deployment_config.provider}}",
                  "environment": "{{deployment_config.environment}}"
                },
                "depends_on": ["test_suite"],
                "timeout_minutes": 2
              },
              {
                "step_id": 8,
                "name": "Application Deployment",
                "type": "system_call",
                "command": "deploy_application",
                "parameters": {
                  "frontend": "{{frontend_code}}",
                  "backend": "{{backend_code}}",
                  "config": "{{deployment_config}}"
                },
                "depends_on": ["deployment_configuration"],
                "timeout_minutes": 20
              },
              {
                "step_id": 9,
                "name": "Domain Configuration",
                "type": "system_call",
                "command": "setup_domain",
                "parameters": {
                  "domain": "{{domain_name}}",
                  "app_url": "{{deployment_result.app_url}}"
                },
                "optional": true,
                "depends_on": ["application_deployment"],
                "timeout_minutes": 5
              },
              {
                "step_id": 10,
                "name": "Monitoring Setup",
                "type": "system_call",
                "command": "setup_monitoring",
                "parameters": {
                  "app_url": "{{final_url}}",
                  "health_checks": "{{deployment_config.health_checks}}"
                },
                "depends_on": ["domain_configuration"],
                "timeout_minutes": 3
              }
            ],
            "success_criteria": {
              "required_outputs": [
                "app_url",
                "github_repository",
                "admin_credentials"
              ],
              "health_checks": [
                {
                  "type": "http_response",
                  "url": "{{app_url}}/health",
                  "expected_status": 200
                },
                {
                  "type": "database_connection",
                  "connection_string": "{{database_url}}"
                }
              ]
            },
            "cleanup_on_failure": [
              "delete_deployment",
              "cleanup_database",
              "remove_domain_records"
            ]
          }
        }
        """#
}
