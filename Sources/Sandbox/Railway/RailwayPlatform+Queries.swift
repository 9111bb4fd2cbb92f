import Domain

extension RailwayPlatform: GraphQLService {
    func value(
        of name: String, _ arguments: JSONObject, in kind: GraphQLOperation.Kind
    ) async throws(GraphQLError) -> GraphQLValue {
        try await kind == .query ? query(name, .object(arguments)) : mutate(name, .object(arguments))
    }

    private func query(_ name: String, _ arguments: JSON) throws(GraphQLError) -> GraphQLValue {
        let state = now
        switch name {
        case "me":
            return .object(
                RailwayFields([
                    "id": .text(Self.workspace.id), "name": .text("Sandbox"), "email": .text("sandbox@example.com"),
                    "workspaces": .list([Self.workspaceObject]),
                ]))
        case "apiToken": return .object(RailwayFields(["workspaces": .list([Self.workspaceObject])]))
        case "project":
            return .object(RailwayProjectObject(project: try state.project(arguments.text("id")), state: state))
        case "projects":
            let workspace = arguments["workspaceId"]?.stringValue
            let projects = state.projects.filter { workspace == nil || $0.workspaceID == workspace }
            return try .page(of: projects, arguments.members, id: \.id) {
                RailwayProjectObject(project: $0, state: state)
            }
        case "environment":
            let environment = try state.environment(arguments.text("id"))
            if let project = arguments["projectId"]?.stringValue, project != environment.projectID {
                throw .unknown("Environment")
            }
            return .object(RailwayEnvironmentObject(environment: environment, state: state))
        case "environments":
            let project = try state.project(arguments.text("projectId"))
            return try RailwayProjectObject(project: project, state: state).value(of: name, arguments.members)
        case "service":
            return .object(RailwayServiceObject(service: try state.service(arguments.text("id")), state: state))
        case "serviceInstance":
            return .object(RailwayInstanceObject(instance: try state.instance(.init(arguments)), state: state))
        case "volumeInstance":
            guard let volume = state.volumes.first(where: { $0.instanceID == arguments.text("id") }) else {
                throw .unknown("VolumeInstance")
            }
            return .object(RailwayVolumeInstanceObject(volume: volume, state: state))
        case "variables": return .leaf(.object(try variables(arguments, in: state)))
        case "deployment", "deployments", "buildLogs", "deploymentLogs":
            return try queryDeployments(name, arguments, in: state)
        default: return try queryDomains(name, arguments, in: state)
        }
    }

    private func queryDeployments(
        _ name: String, _ arguments: JSON, in state: RailwayState
    ) throws(GraphQLError) -> GraphQLValue {
        switch name {
        case "buildLogs": return try lines(\.buildLog, arguments)
        case "deploymentLogs": return try lines(\.deployLog, arguments)
        case "deployment":
            let deployment = try state.deployment(arguments.text("id"))
            return .object(RailwayDeploymentObject(deployment: deployment, state: state))
        default:
            let input = arguments["input"] ?? .null
            let (wanted, unwanted) = (input["status"]?["in"]?.arrayValue, input["status"]?["notIn"]?.arrayValue)
            let deployments = state.deployments.filter { deployment in
                let status = JSON.string(deployment.status.rawValue)
                return [
                    ("projectId", deployment.projectID), ("serviceId", deployment.key.serviceID),
                    ("environmentId", deployment.key.environmentID),
                ].allSatisfy { name, id in input[name]?.stringValue.map { $0 == id } ?? true }
                    && wanted?.contains(status) ?? true && !(unwanted?.contains(status) ?? false)
            }
            return try .page(of: deployments.reversed(), arguments.members, id: \.id) {
                RailwayDeploymentObject(deployment: $0, state: state)
            }
        }
    }

    private func queryDomains(
        _ name: String, _ arguments: JSON, in state: RailwayState
    ) throws(GraphQLError) -> GraphQLValue {
        switch name {
        case "domains":
            let instance = try state.instance(.init(arguments))
            return .object(RailwayDomainsObject(key: instance.key, state: state))
        case "customDomain":
            guard let domain = state.customDomains.first(where: { $0.id == arguments.text("id") }) else {
                throw .unknown("CustomDomain")
            }
            return .object(domain.object)
        case "customDomainAvailable": return .object(availability(of: arguments.text("domain")))
        case "tcpProxies":
            let instance = try state.instance(.init(arguments))
            return .list(state.proxies.filter { $0.key == instance.key }.map { .object($0.object) })
        default: throw .refused("The sandbox does not serve \(name)")
        }
    }

    private func variables(_ arguments: JSON, in state: RailwayState) throws(GraphQLError) -> JSONObject {
        let project = try state.project(arguments.text("projectId"))
        let environment = try state.environment(arguments.text("environmentId"), in: project.id)
        guard let serviceID = arguments["serviceId"]?.stringValue else {
            return state.variables[.init(environmentID: environment.id, serviceID: nil)] ?? JSONObject()
        }
        let key = try state.instance(.init(serviceID: serviceID, environmentID: environment.id)).key
        var variables = state.clientVariables(key)
        for member in state.platformVariables(key).members { variables[member.key] = member.value }
        return variables
    }

    private static let workspaceObject = GraphQLValue.object(
        RailwayFields(["id": .text(workspace.id), "name": .text(workspace.name)]))
}

extension JSON {
    /// An argument that the schema makes sure of.
    func text(_ name: String) -> String { self[name]?.stringValue ?? "" }
    var members: JSONObject { objectValue ?? JSONObject() }
}
