import Domain
import Testing

@Suite struct ExecutionPlanTests {
    private static let plan = ExecutionPlan(
        templateSlug: "demo", templateVersion: "1.0.0", deploymentConfig: ["provider": "railway"],
        steps: [
            PlannedStep(
                id: "1", name: "Plan", slug: "plan",
                action: .ai(
                    AIAction(
                        provider: "claude", model: nil, system: "Be brief.", promptTemplate: "Plan {{x}}",
                        maximumOutputTokens: 8_192, answerSchema: ["type": "object"])),
                dependencies: [], outputNames: ["outline", "plan"], isOptional: false, timeout: .seconds(90),
                maximumAttempts: 3),
            PlannedStep(
                id: "two", name: "Deploy", slug: "deploy",
                action: .system(
                    SystemAction(command: "deploy_application", provider: "railway", parameters: ["a": ["{{plan}}"]])),
                dependencies: [0], outputNames: ["deploy"], isOptional: true, timeout: .milliseconds(1),
                maximumAttempts: 1),
        ], requiredOutputs: ["app_url"])

    @Test func `a plan reads back as it was stored`() throws {
        let stored = Self.plan.json.text
        #expect(try ExecutionPlan(JSON.parse(stored)) == Self.plan)
    }

    @Test func `a plan of another format is refused`() {
        var json = Self.plan.json
        json.set("format", 2)
        #expect(throws: PlanUnreadable.self) { try ExecutionPlan(json) }
        json.set("format", nil)
        #expect(throws: PlanUnreadable.self) { try ExecutionPlan(json) }
    }

    @Test(arguments: ["id", "name", "slug", "depends_on", "outputs", "timeout_ms", "attempts", "ai"])
    func `a step without a part is refused`(member: String) {
        var json = Self.plan.json
        var steps = json["steps"]?.arrayValue ?? []
        steps[0].set(member, nil)
        json.set("steps", .array(steps))
        #expect(throws: PlanUnreadable.self) { try ExecutionPlan(json) }
    }

    @Test(arguments: [JSON.array([1]), [7], [-1]])
    func `a dependency on itself or on a step that is not there is refused`(dependencies: JSON) {
        var json = Self.plan.json
        var steps = json["steps"]?.arrayValue ?? []
        steps[1].set("depends_on", dependencies)
        json.set("steps", .array(steps))
        #expect(throws: PlanUnreadable.self) { try ExecutionPlan(json) }
    }
}
