import Domain
import Testing

@testable import Engine

@Suite struct StarterTemplateTests {
    private func template() throws -> Template {
        try TemplateCompiler(dispatch: ServedRoutes.usual).compile(
            Array(StarterTemplate.json.utf8), file: "starter.json")
    }

    @Test func `metadata and inputs`() throws {
        let template = try template()
        #expect(template.slug == "saas-starter-v2")
        #expect(template.version == "2.1.0")
        #expect(template.complexity == .intermediate)
        #expect(template.tags == ["nextjs", "stripe", "auth", "dashboard"])
        #expect(template.estimatedMinutes == 180)
        #expect(template.estimatedCostMinimum?.description == "8.50")
        #expect(template.estimatedCostMaximum?.description == "15.00")
        #expect(template.inputs.map(\.key) == ["app_name", "domain_name", "features"])
        #expect(template.inputs.map(\.kind) == [.string, .string, .array])
        #expect(template.inputs.map(\.isOptional) == [false, true, false])
        #expect(template.inputs[0].pattern == #"^[a-zA-Z0-9\s]{3,50}$"#)
        #expect(template.inputs[2].defaultValue == ["user_authentication", "subscription_billing"])
        #expect(try template.source == JSON.parse(StarterTemplate.json))
    }

    @Test func `dependencies are those written and those implied, in the template's order`() throws {
        let plan = try template().plan
        #expect(plan.steps.map(\.id) == (1...10).map { "\($0)" })
        #expect(
            plan.steps.map(\.dependencies) == [
                [], [0], [0],
                // The schema comes out of the architecture plan.
                [0, 2],
                [2], [1, 2, 4], [5],
                // Both code bases by reference, and the database, which has to be there.
                [1, 2, 3, 6],
                [7],
                // The final URL is the domain's or the deployment's.
                [7, 8],
            ])
    }

    @Test func `names, timeouts and providers`() throws {
        let plan = try template().plan
        #expect(plan.steps[0].outputNames == ["architecture_plan", "architecture_planning"])
        #expect(plan.steps[5].slug == "testing_quality_assurance")
        #expect(plan.steps[7].outputNames == ["application_deployment", "deployment_result"])
        #expect(plan.steps.map(\.isOptional) == Array(repeating: false, count: 8) + [true, false])
        #expect(plan.steps[3].timeout == .seconds(180))
        #expect(plan.steps.allSatisfy { $0.maximumAttempts == 3 })
        #expect(
            plan.steps.map(\.routeKey) == [
                .aiProvider("claude"), .aiProvider("openai_codex"), .aiProvider("claude"),
                // `postgresql` is an engine; the deployment target provides it.
                .command("setup_database", provider: "railway"), .aiProvider("openai_codex"), .aiProvider("claude"),
                .command("create_deployment_config", provider: "railway"),
                .command("deploy_application", provider: "railway"), .command("setup_domain", provider: "railway"),
                .command("setup_monitoring", provider: "railway"),
            ])
        #expect(plan.requiredOutputs == ["app_url", "github_repository", "admin_credentials"])
        #expect(
            plan.healthChecks == [
                .http(url: "{{app_url}}/health", expectedStatus: 200),
                .database(connectionString: "{{database_url}}"),
            ])
        #expect(plan.cleanup == [.deleteDeployment, .cleanupDatabase, .removeDomainRecords])
        #expect(plan.deploymentConfig["environment"] == "production")
    }

    @Test func `the fields that references name are required of the answer`() throws {
        let plan = try template().plan
        func schema(_ step: Int) -> JSON? {
            if case .ai(let action) = plan.steps[step].action { action.answerSchema } else { nil }
        }
        #expect(schema(0)?["required"] == ["summary", "files", "database_schema"])
        let field = schema(0)?["properties"]?["database_schema"]
        #expect(field?["type"] == "string")
        #expect(field?["description"]?.stringValue?.contains("PostgreSQL DDL") == true)
        #expect(schema(0)?["additionalProperties"] == false)
        #expect(schema(1)?["required"] == ["summary", "files"])
    }

    @Test func `the stored definition compiles to the same plan`() throws {
        let first = try template()
        let second = try TemplateCompiler(dispatch: ServedRoutes.usual).compile(first.source)
        #expect(second.plan == first.plan)
        #expect(try ExecutionPlan(first.plan.json) == first.plan)
    }
}
