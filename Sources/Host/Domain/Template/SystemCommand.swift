/// The commands of system steps of which the host knows more than the name. A plugin may serve others.
public enum SystemCommand: String, Sendable, Hashable, CaseIterable {
    case setupDatabase = "setup_database"
    case createDeploymentConfig = "create_deployment_config"
    case deployApplication = "deploy_application"
    case setupDomain = "setup_domain"
    case setupMonitoring = "setup_monitoring"
}
