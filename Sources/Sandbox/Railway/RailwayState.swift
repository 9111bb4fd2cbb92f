import Domain

/// What exists on the simulated platform. Names may repeat, as they may there; each list is in order of creation.
struct RailwayState: Sendable {
    struct Project: Sendable {
        let id: String
        var name: String
        var description: String?
        let workspaceID: String
        let createdAt: Timestamp
        var updatedAt: Timestamp
    }

    struct Environment: Sendable {
        let id: String
        let projectID: String
        let name: String
        let createdAt: Timestamp
    }

    struct Service: Sendable {
        let id: String
        let projectID: String
        var name: String
        var icon: String?
        let createdAt: Timestamp
        var updatedAt: Timestamp
    }

    /// A service in one environment.
    struct Instance: Sendable {
        struct Key: Sendable, Hashable {
            let serviceID: String
            let environmentID: String
        }

        let id: String
        let key: Key
        let createdAt: Timestamp
        var updatedAt: Timestamp
        var startCommand: String?
        var buildCommand: String?
        var healthcheckPath: String?
        var healthcheckSeconds: Int?
        var replicas: Int?
        var region: String?
        var rootDirectory: String?
        var image: String?
        var repository: String?
        /// The port of this machine that is kept for it, from its first domain or deployment on.
        var port: Int?
        /// The database behind it, where it runs PostgreSQL's image.
        var database: PlatformDatabase?
    }

    struct ServiceDomain: Sendable {
        let id: String
        let key: Instance.Key
        let domain: String
        let targetPort: Int?
        let createdAt: Timestamp
    }

    struct CustomDomain: Sendable {
        let id: String
        let key: Instance.Key
        let projectID: String
        let domain: String
        let targetPort: Int?
        let token: String
        let createdAt: Timestamp
        var isVerified = false
    }

    struct Proxy: Sendable {
        let id: String
        let key: Instance.Key
        let applicationPort: Int
        let proxyPort: Int
        let createdAt: Timestamp
    }

    struct Volume: Sendable {
        let id: String
        let instanceID: String
        let projectID: String
        let environmentID: String
        let serviceID: String?
        let name: String
        let mountPath: String
        let createdAt: Timestamp
    }

    /// Whose variables: a service's, or those that an environment's services share.
    struct VariableScope: Sendable, Hashable {
        let environmentID: String
        let serviceID: String?
    }

    var projects: [Project] = []
    var environments: [Environment] = []
    var services: [Service] = []
    var instances: [Instance] = []
    var variables: [VariableScope: JSONObject] = [:]
    var serviceDomains: [ServiceDomain] = []
    var customDomains: [CustomDomain] = []
    var proxies: [Proxy] = []
    var volumes: [Volume] = []
    var deployments: [RailwayDeployment] = []
    /// The latest moment that a log line bears, in nanoseconds: none bears the same.
    var lastLogMoment: Int64 = 0
}

extension RailwayState {
    func project(_ id: String) throws(GraphQLError) -> Project {
        guard let project = projects.first(where: { $0.id == id }) else { throw .unknown("Project") }
        return project
    }

    func environment(_ id: String) throws(GraphQLError) -> Environment {
        guard let environment = environments.first(where: { $0.id == id }) else { throw .unknown("Environment") }
        return environment
    }

    func service(_ id: String) throws(GraphQLError) -> Service {
        guard let service = services.first(where: { $0.id == id }) else { throw .unknown("Service") }
        return service
    }

    func deployment(_ id: String) throws(GraphQLError) -> RailwayDeployment {
        guard let deployment = deployments.first(where: { $0.id == id }) else { throw .unknown("Deployment") }
        return deployment
    }

    func instance(_ key: Instance.Key) throws(GraphQLError) -> Instance {
        guard let instance = instances.first(where: { $0.key == key }) else { throw .unknown("ServiceInstance") }
        return instance
    }

    mutating func update(_ key: Instance.Key, at time: Timestamp, _ change: (inout Instance) -> Void) {
        guard let index = instances.firstIndex(where: { $0.key == key }) else { return }
        change(&instances[index])
        instances[index].updatedAt = time
    }

    /// What the client has set: the environment's shared variables below the service's own.
    func clientVariables(_ key: Instance.Key) -> JSONObject {
        var merged = variables[VariableScope(environmentID: key.environmentID, serviceID: nil)] ?? JSONObject()
        let own = variables[VariableScope(environmentID: key.environmentID, serviceID: key.serviceID)]
        for member in own?.members ?? [] { merged[member.key] = member.value }
        return merged
    }

    /// What the platform tells a service about itself.
    func platformVariables(_ key: Instance.Key) -> JSONObject {
        var variables = JSONObject()
        guard let service = services.first(where: { $0.id == key.serviceID }),
            let environment = environments.first(where: { $0.id == key.environmentID }),
            let project = projects.first(where: { $0.id == service.projectID })
        else { return variables }
        variables["RAILWAY_PROJECT_ID"] = .string(project.id)
        variables["RAILWAY_PROJECT_NAME"] = .string(project.name)
        variables["RAILWAY_ENVIRONMENT_ID"] = .string(environment.id)
        variables["RAILWAY_ENVIRONMENT_NAME"] = .string(environment.name)
        variables["RAILWAY_SERVICE_ID"] = .string(service.id)
        variables["RAILWAY_SERVICE_NAME"] = .string(service.name)
        variables["RAILWAY_PUBLIC_DOMAIN"] = serviceDomains.first { $0.key == key }.map { .string($0.domain) }
        if let proxy = proxies.first(where: { $0.key == key }) {
            variables["RAILWAY_TCP_PROXY_DOMAIN"] = .string(RailwayPlatform.host)
            variables["RAILWAY_TCP_PROXY_PORT"] = .string(String(proxy.proxyPort))
            variables["RAILWAY_TCP_APPLICATION_PORT"] = .string(String(proxy.applicationPort))
        }
        return variables
    }
}

extension RailwayState.Instance {
    /// Whether its image is one of PostgreSQL's, the only one that the sandbox can stand in for.
    var isDatabase: Bool { image.map(Self.isDatabase) ?? false }

    private static func isDatabase(_ image: String) -> Bool {
        guard let name = image.split(separator: "/").last?.split(separator: ":").first else { return false }
        return name == "postgres" || name == "postgres-ssl"
    }
}

extension GraphQLError {
    static func unknown(_ what: String) -> GraphQLError { GraphQLError("\(what) not found", .internalServerError) }
    /// The platform's word for a request that it does not carry out.
    static func refused(_ message: String) -> GraphQLError { GraphQLError(message, .internalServerError) }
}
