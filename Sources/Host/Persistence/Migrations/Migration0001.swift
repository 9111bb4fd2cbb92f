extension Migration {
    /// The whole first schema. Why it differs from the specification's where it does: `docs/schema.md`.
    static let initialSchema = Migration(
        number: 1, name: "initial schema",
        sql: [
            accountTables, billingTables, templateTables, executionTables, callTables, operationTables,
            subscriptionPlans,
        ].joined(separator: "\n"))
}
