import Domain
import Testing

@testable import Persistence

@Suite struct SchemaTests {
    /// The tables and columns that clients of the published schema rely on.
    private static let published: [String: String] = [
        "users": """
        id email password_hash subscription_tier api_key api_key_secret monthly_api_calls_included
        monthly_api_calls_used billing_cycle_start is_active created_at updated_at
        """,
        "api_keys": """
        id user_id key_name api_key permissions rate_limit_per_minute rate_limit_per_day is_active last_used_at
        expires_at created_at
        """,
        "template_categories": "id name description slug icon_url sort_order is_active",
        "templates": """
        id category_id creator_user_id name description slug version template_schema configuration_schema
        estimated_cost_min estimated_cost_max estimated_time_minutes complexity_level tags is_public is_premium
        premium_price usage_count rating_average rating_count created_at updated_at
        """,
        "template_executions": """
        id user_id template_id execution_config status progress_percentage current_step total_steps start_time
        end_time result_data error_message cost_breakdown total_cost deployed_url github_repo_url artifacts_s3_path
        """,
        "ai_api_calls": """
        id user_id execution_id ai_provider model_name endpoint input_tokens output_tokens cost latency_ms success
        error_message created_at
        """,
        "subscription_plans": """
        id name slug monthly_price api_calls_included overage_price_per_call features is_active
        """,
        "user_subscriptions": """
        id user_id plan_id stripe_subscription_id status current_period_start current_period_end created_at
        updated_at
        """,
        "billing_invoices": """
        id user_id subscription_id stripe_invoice_id amount tax_amount total_amount status billing_period_start
        billing_period_end api_calls_count overage_calls created_at
        """,
        "deployments": """
        id execution_id provider deployment_id app_url status config environment_variables build_logs deploy_logs
        created_at updated_at
        """,
        "system_health_checks": "id service_name status response_time_ms error_message metadata checked_at",
    ]

    @Test func everyPublishedColumnAndIndexIsThere() async throws {
        try await TestDatabase.run { test async throws in
            let rows = try await test.query(
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'")
            let present = Set((0..<rows.count).map { "\(rows.text($0, 0) ?? "").\(rows.text($0, 1) ?? "")" })
            for (table, columns) in Self.published {
                for column in columns.split(whereSeparator: \.isWhitespace) {
                    #expect(present.contains("\(table).\(column)"))
                }
            }
            let indexes = """
                idx_users_api_key idx_users_email idx_api_keys_key idx_templates_slug idx_templates_category
                idx_executions_user_status idx_executions_template idx_ai_calls_user_date idx_deployments_execution
                idx_active_templates idx_active_api_keys
                """
            for index in indexes.split(whereSeparator: \.isWhitespace) {
                #expect(try await test.text("SELECT to_regclass($1)::text", [.text(String(index))]) != nil)
            }
        }
    }

    @Test func timesHaveATimeZoneAndMoneyTwelveDigits() async throws {
        try await TestDatabase.run { test async throws in
            let local = try await test.count(
                """
                SELECT count(*) FROM information_schema.columns
                WHERE table_schema = 'public' AND data_type = 'timestamp without time zone'
                """)
            #expect(local == 0)
            let coarse = try await test.count(
                """
                SELECT count(*) FROM information_schema.columns
                WHERE table_schema = 'public' AND data_type = 'numeric' AND column_name ~ '(cost|price|amount)'
                    AND table_name <> 'user_usage_summary' AND (numeric_precision, numeric_scale) <> (24, 12)
                """)
            #expect(coarse == 0)
        }
    }

    @Test func aCallFindsItsMonthsPartitionAndLateOnesMoveThere() async throws {
        try await TestDatabase.run { test async throws in
            let insert = """
                INSERT INTO ai_api_calls (ai_provider, cost, created_at) VALUES ('claude', 1, now() + $1::interval)
                RETURNING tableoid::regclass::text
                """
            let now = try await test.text(insert, [.text("0 days")])
            #expect(now?.hasPrefix("ai_api_calls_y") == true)
            #expect(try await test.text(insert, [.text("8 months")]) == "ai_api_calls_default")

            let housekeeping = Housekeeping(test.database)
            #expect(try await housekeeping.ensureCallPartitions(monthsAhead: 8) == 5)
            #expect(try await housekeeping.ensureCallPartitions(monthsAhead: 8) == 0)
            #expect(try await test.count("SELECT count(*) FROM ai_api_calls_default") == 0)
            #expect(try await test.count("SELECT count(*) FROM ai_api_calls") == 2)
        }
    }

    @Test func theUsageSummaryFollowsARefresh() async throws {
        try await TestDatabase.run { test async throws in
            let user = try await test.makeUser()
            for cost in ["0.000000000001", "0.2"] {
                try await test.query(
                    "INSERT INTO ai_api_calls (user_id, ai_provider, cost) VALUES ($1::uuid, 'claude', $2::numeric)",
                    [.uuid(user), .text(cost)])
            }
            #expect(try await test.count("SELECT count(*) FROM user_usage_summary") == 0)
            try await Housekeeping(test.database).refreshUsageSummary()
            #expect(try await test.text("SELECT total_cost FROM user_usage_summary") == "0.200000000001")
            #expect(try await test.count("SELECT api_calls_count FROM user_usage_summary") == 2)
        }
    }

    @Test func deadWorkersAreForgottenOnceTheyOwnNothing() async throws {
        try await TestDatabase.run { test async throws in
            let claimed = try await test.makeClaimed()
            let idle = TestDatabase.id()
            try await PostgresLedger(test.database).renew(worker: idle, lease: .seconds(60))
            try await test.query("UPDATE workers SET lease_expires_at = now() - interval '2 days'")
            try await Housekeeping(test.database).removeDeadWorkers()
            #expect(try await test.text("SELECT id FROM workers") == claimed.fence.worker.description)
        }
    }
}
