import Domain

/// One row of the table of deployment targets' faults: what the target does, and what comes of it.
struct DeploymentFault: Sendable {
    /// The template's only system step, or the last of two: what the fault is in the way of.
    enum Step: String, Sendable {
        case database, deployment, domain

        var name: String {
            switch self {
            case .database: "Database Setup"
            case .deployment: "Application Deployment"
            case .domain: "Domain Configuration"
            }
        }
    }

    /// The step's `timeout_minutes`.
    enum Deadline: String, Sendable, CaseIterable {
        case usual = "5"
        /// Long enough for an application to come up in it.
        case short = "0.5"
        case hasty = "0.1"
    }

    let id: String
    let step: Step
    /// Without `provider`, `match` and `times`.
    let fault: JSON
    /// The operation that meets it; nil where what was begun meets it: a deployment, a domain.
    var operation: String?
    /// What the client sees where the fault lasts; nil where the run completes all the same.
    let error: String?
    /// Attempts at the step where the fault lasts.
    let attempts: Int
    /// Short where an attempt has to be ended by it.
    var deadline = Deadline.usual
    /// A second fault beside it, which lasts, and what it keeps from being undone.
    var notUndone: (operation: String, effects: [String])?

    /// Whether a run survives where the fault happens once.
    var isSurvivable: Bool { error == nil || (attempts > 1 && operation != nil) }

    private static func status(_ status: Int64) -> JSON { ["kind": "status", "status": .integer(status)] }

    static let all = [
        DeploymentFault(
            id: "rate-limit", step: .database, fault: ["kind": "status", "status": 429, "retry_after": "1"],
            operation: "serviceCreate", error: "provider_rate_limited", attempts: 3),
        DeploymentFault(
            id: "rate-limit-for-long", step: .database, fault: ["kind": "status", "status": 429, "retry_after": "301"],
            operation: "serviceCreate", error: "provider_rate_limited", attempts: 1),
        DeploymentFault(
            id: "bad-token", step: .database, fault: status(401), operation: "serviceCreate", error: "provider_denied",
            attempts: 1),
        DeploymentFault(
            id: "server-error", step: .database, fault: status(500), operation: "serviceCreate",
            error: "database_failed", attempts: 3),
        DeploymentFault(
            id: "unavailable", step: .database, fault: status(503), operation: "serviceCreate",
            error: "database_failed", attempts: 3),
        DeploymentFault(
            id: "invalid-json", step: .database, fault: ["kind": "invalid_json"], operation: "variables",
            error: "database_failed", attempts: 3),
        DeploymentFault(
            id: "cut", step: .database, fault: ["kind": "cut"], operation: "variables", error: "database_failed",
            attempts: 3),
        DeploymentFault(
            id: "stall", step: .database, fault: ["kind": "stall"], operation: "variables", error: "step_timeout",
            attempts: 3, deadline: .hasty),
        DeploymentFault(
            id: "lost-project", step: .database, fault: ["kind": "lost_response"], operation: "projectCreate",
            error: nil, attempts: 2),
        DeploymentFault(
            id: "lost-service", step: .database, fault: ["kind": "lost_response"], operation: "serviceCreate",
            error: nil, attempts: 2),
        DeploymentFault(
            id: "lost-deployment", step: .deployment, fault: ["kind": "lost_response"], operation: "up", error: nil,
            attempts: 2),
        DeploymentFault(
            id: "lost-domain", step: .domain, fault: ["kind": "lost_response"], operation: "customDomainCreate",
            error: nil, attempts: 2),
        DeploymentFault(
            id: "database-fails", step: .database, fault: ["kind": "build_failed"], error: "database_failed",
            attempts: 1),
        DeploymentFault(
            id: "database-hangs", step: .database, fault: ["kind": "build_hangs"], error: "step_timeout", attempts: 3,
            deadline: .hasty),
        DeploymentFault(
            id: "database-unreachable", step: .database, fault: ["kind": "unreachable"], error: "database_failed",
            attempts: 3),
        DeploymentFault(
            id: "build-fails", step: .deployment, fault: ["kind": "build_failed"], error: "deployment_failed",
            attempts: 1),
        DeploymentFault(
            id: "build-hangs", step: .deployment, fault: ["kind": "build_hangs"], error: "step_timeout", attempts: 3,
            deadline: .hasty),
        DeploymentFault(
            id: "unhealthy", step: .deployment, fault: ["kind": "unhealthy"], error: "deployment_failed", attempts: 1),
        DeploymentFault(
            id: "crash", step: .deployment, fault: ["kind": "crash"], error: "deployment_failed", attempts: 1),
        DeploymentFault(
            id: "application-unreachable", step: .deployment, fault: ["kind": "unreachable"],
            error: "deployment_unhealthy", attempts: 1, deadline: .short),
        DeploymentFault(
            id: "domain-conflict", step: .domain, fault: ["kind": "domain_conflict"], error: "domain_refused",
            attempts: 1),
        DeploymentFault(
            id: "undoing-fails", step: .deployment, fault: ["kind": "build_failed"], error: "deployment_failed",
            attempts: 1, notUndone: ("projectDelete", ["deploy_application at railway"])),
    ]
}
