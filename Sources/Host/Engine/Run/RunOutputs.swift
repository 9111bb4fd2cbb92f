import Domain

/// What a run has brought forth so far, under every name that references may use.
struct RunOutputs: Sendable {
    private(set) var values: [String: JSON] = [:]
    private(set) var repository: String?
    /// What `create_deployment_config` decided.
    private(set) var deploymentConfiguration = JSON.null
    private var hasSource = false

    /// The source can be cloned whatever becomes of the run.
    mutating func bind(repository url: String) {
        repository = url
        values["github_repository"] = .string(url)
    }

    mutating func bind(_ output: JSON, of step: PlannedStep) {
        for name in step.outputNames { values[name] = output }
        if !output.filePaths.isEmpty { hasSource = true }
        guard case .system(let action) = step.action else { return }
        switch SystemCommand(rawValue: action.command) {
        case .setupDatabase: values["database_url"] = output["database_url"]
        case .deployApplication:
            values["app_url"] = output["app_url"]
            if values["final_url"] == nil { values["final_url"] = output["app_url"] }
            values["admin_credentials"] = output["admin_credentials"]
            // A target may bring a database of its own.
            if values["database_url"] == nil { values["database_url"] = output["database_url"] }
        case .setupDomain:
            // A domain whose records are not in place yet does not answer.
            if output["status"] == "active", let domain = output["domain"]?.stringValue {
                values["final_url"] = .string("https://\(domain)")
            }
        case .createDeploymentConfig: deploymentConfiguration = output
        case .setupMonitoring, nil: break
        }
    }

    /// The outputs under the names their templates gave them, and the execution's own, also under the names of the
    /// API's `Execution.result`.
    func result(of plan: ExecutionPlan) -> JSON {
        var object = JSONObject()
        for step in plan.steps { if let name = step.outputNames.first { object[name] = values[name] } }
        for name in ["app_url", "final_url", "database_url"] { object[name] = values[name] }
        for name in ["github_repository", "github_repo"] where hasSource { object[name] = values["github_repository"] }
        for name in ["admin_credentials", "credentials"] { object[name] = values["admin_credentials"] }
        return .object(object)
    }

    /// What is left of a failed run: what its steps have written.
    var remains: JSON {
        guard hasSource, let repository else { return .null }
        return ["github_repository": .string(repository), "github_repo": .string(repository)]
    }
}
