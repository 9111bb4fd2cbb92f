/// The commands of system steps that the engine knows more of than their name.
enum SystemCommand: String, CaseIterable {
    case setupDatabase = "setup_database"
    case createDeploymentConfig = "create_deployment_config"
    case deployApplication = "deploy_application"
    case setupDomain = "setup_domain"
    case setupMonitoring = "setup_monitoring"
}
