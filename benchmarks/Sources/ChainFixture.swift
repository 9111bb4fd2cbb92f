import Domain
import Persistence

/// Executions that are chains of steps, and the rows they refer to.
actor ChainFixture {
    private let userID: UUIDv7
    private let plan: ExecutionPlan
    private var admitted: [UUIDv7] = []

    init(_ database: Database, steps: Int) async throws {
        let now = SystemWallClock().now()
        userID = UUIDv7(at: now)
        let steps = (0..<steps).map { index in
            PlannedStep(
                id: "\(index + 1)", name: "Step \(index + 1)", slug: "step_\(index + 1)",
                action: .system(SystemAction(command: "nothing", provider: "bench", parameters: [:])),
                dependencies: index == 0 ? [] : [index - 1], outputNames: ["step_\(index + 1)"], isOptional: false,
                timeout: .seconds(60), maximumAttempts: 1)
        }
        plan = ExecutionPlan(
            templateSlug: "bench-chain", templateVersion: "1.0.\(steps.count)", deploymentConfig: [:], steps: steps,
            requiredOutputs: [])
        _ = try await PostgresAccounts(database).register(
            Registration(
                userID: userID, keyID: UUIDv7(at: now), email: "bench-\(userID)@example.com", passwordHash: nil,
                tier: "starter", keyHash: userID.description, keySecretHash: userID.description, isAdmin: false))
        let catalog = PostgresCatalog(database)
        try await catalog.publish([TemplateCategory(slug: "bench", name: "Benchmarks", description: "")])
        try await catalog.publish(
            Template(
                slug: "bench-chain", name: "Chain", version: plan.templateVersion, description: "", author: nil,
                category: "bench", tags: [], complexity: .beginner, estimatedMinutes: nil, estimatedCostMinimum: nil,
                estimatedCostMaximum: nil, inputs: [], plan: plan, source: ["bench": true]))
    }

    func admit(to ledger: PostgresLedger) async throws {
        let id = UUIDv7(at: SystemWallClock().now())
        admitted.append(
            try await ledger.admit(
                ExecutionDraft(
                    id: id, userID: userID, templateSlug: "bench-chain", configuration: [:], plan: plan,
                    webhookURL: nil, idempotencyKey: nil)))
    }

    func waitUntilAllHaveEnded(_ reader: PostgresReader) async throws {
        for id in admitted {
            while try await reader.execution(id, of: userID)?.contains("\"completed\"") != true {
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }
}
