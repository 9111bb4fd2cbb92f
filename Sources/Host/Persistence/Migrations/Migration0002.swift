extension Migration {
    /// What a run makes in the outside world: its effects, secrets, deployments, domains, monitors and webhooks.
    static let runningApplications = Migration(
        number: 2, name: "running applications",
        sql: [effectTables, deploymentChanges, secretTables, monitorTables, webhookTables, estimateChanges]
            .joined(separator: "\n"))
}
