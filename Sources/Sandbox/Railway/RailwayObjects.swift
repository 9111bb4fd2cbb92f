import Domain

// The platform's objects as GraphQL shows them: each keeps the state as it was when the operation was carried out.

struct RailwayProjectObject: GraphQLObject {
    let project: RailwayState.Project
    let state: RailwayState

    func value(of name: String, _ arguments: JSONObject) throws(GraphQLError) -> GraphQLValue {
        let environments = state.environments.filter { $0.projectID == project.id }
        switch name {
        case "id": return .text(project.id)
        case "name": return .text(project.name)
        case "description": return .text(project.description)
        case "createdAt": return .time(project.createdAt)
        case "updatedAt": return .time(project.updatedAt)
        case "workspaceId": return .text(project.workspaceID)
        case "baseEnvironmentId", "primaryEnvironmentId": return .text(environments.first?.id)
        case "environments":
            return try .page(of: environments, arguments, id: \.id) {
                RailwayEnvironmentObject(environment: $0, state: state)
            }
        case "services":
            return try .page(of: state.services.filter { $0.projectID == project.id }, arguments, id: \.id) {
                RailwayServiceObject(service: $0, state: state)
            }
        case "volumes":
            return try .page(of: state.volumes.filter { $0.projectID == project.id }, arguments, id: \.id) {
                RailwayVolumeObject(volume: $0, state: state)
            }
        default: return .null
        }
    }
}

struct RailwayEnvironmentObject: GraphQLObject {
    let environment: RailwayState.Environment
    let state: RailwayState

    func value(of name: String, _ arguments: JSONObject) throws(GraphQLError) -> GraphQLValue {
        switch name {
        case "id": return .text(environment.id)
        case "name": return .text(environment.name)
        case "projectId": return .text(environment.projectID)
        case "createdAt", "updatedAt": return .time(environment.createdAt)
        case "isEphemeral": return .flag(false)
        case "deployments":
            let deployments = state.deployments.filter { $0.key.environmentID == environment.id }
            return try .page(of: deployments.reversed(), arguments, id: \.id) {
                RailwayDeploymentObject(deployment: $0, state: state)
            }
        case "serviceInstances":
            let instances = state.instances.filter { $0.key.environmentID == environment.id }
            return try .page(of: instances, arguments, id: \.id) {
                RailwayInstanceObject(instance: $0, state: state)
            }
        case "volumeInstances":
            let volumes = state.volumes.filter { $0.environmentID == environment.id }
            return try .page(of: volumes, arguments, id: \.instanceID) {
                RailwayVolumeInstanceObject(volume: $0, state: state)
            }
        default: return .null
        }
    }
}

struct RailwayServiceObject: GraphQLObject {
    let service: RailwayState.Service
    let state: RailwayState

    func value(of name: String, _ arguments: JSONObject) throws(GraphQLError) -> GraphQLValue {
        switch name {
        case "id": return .text(service.id)
        case "name": return .text(service.name)
        case "icon": return .text(service.icon)
        case "projectId": return .text(service.projectID)
        case "project":
            return .object(RailwayProjectObject(project: try state.project(service.projectID), state: state))
        case "createdAt": return .time(service.createdAt)
        case "updatedAt": return .time(service.updatedAt)
        case "deployments":
            let deployments = state.deployments.filter { $0.key.serviceID == service.id }
            return try .page(of: deployments.reversed(), arguments, id: \.id) {
                RailwayDeploymentObject(deployment: $0, state: state)
            }
        case "serviceInstances":
            let instances = state.instances.filter { $0.key.serviceID == service.id }
            return try .page(of: instances, arguments, id: \.id) {
                RailwayInstanceObject(instance: $0, state: state)
            }
        default: return .null
        }
    }
}

struct RailwayInstanceObject: GraphQLObject {
    let instance: RailwayState.Instance
    let state: RailwayState

    func value(of name: String, _ arguments: JSONObject) throws(GraphQLError) -> GraphQLValue {
        switch name {
        case "id": return .text(instance.id)
        case "serviceId": return .text(instance.key.serviceID)
        case "environmentId": return .text(instance.key.environmentID)
        case "serviceName": return .text(try state.service(instance.key.serviceID).name)
        case "service":
            return .object(RailwayServiceObject(service: try state.service(instance.key.serviceID), state: state))
        case "createdAt": return .time(instance.createdAt)
        case "updatedAt": return .time(instance.updatedAt)
        case "startCommand": return .text(instance.startCommand)
        case "buildCommand": return .text(instance.buildCommand)
        case "healthcheckPath": return .text(instance.healthcheckPath)
        case "healthcheckTimeout": return .number(instance.healthcheckSeconds)
        case "numReplicas": return .number(instance.replicas)
        case "region": return .text(instance.region)
        case "rootDirectory": return .text(instance.rootDirectory)
        case "source":
            guard instance.image != nil || instance.repository != nil else { return .null }
            return .object(
                RailwayFields(["image": .text(instance.image), "repo": .text(instance.repository)]))
        case "domains": return .object(RailwayDomainsObject(key: instance.key, state: state))
        case "latestDeployment":
            return state.deployments.last { $0.key == instance.key }
                .map { .object(RailwayDeploymentObject(deployment: $0, state: state)) } ?? .null
        default: return .null
        }
    }
}

struct RailwayDeploymentObject: GraphQLObject {
    let deployment: RailwayDeployment
    let state: RailwayState

    func value(of name: String, _ arguments: JSONObject) throws(GraphQLError) -> GraphQLValue {
        let domain = state.serviceDomains.first { $0.key == deployment.key }?.domain
        switch name {
        case "id": return .text(deployment.id)
        case "status": return .text(deployment.status.rawValue)
        case "url": return .text(domain)
        case "staticUrl": return .text(domain)
        case "createdAt": return .time(deployment.createdAt)
        case "updatedAt", "statusUpdatedAt": return .time(deployment.statusUpdatedAt)
        case "projectId": return .text(deployment.projectID)
        case "environmentId": return .text(deployment.key.environmentID)
        case "serviceId": return .text(deployment.key.serviceID)
        case "meta": return .leaf(deployment.meta)
        case "canRedeploy": return .flag(deployment.status.isSettled)
        case "canRollback": return .flag(false)
        case "deploymentStopped": return .flag(deployment.status == .removed)
        case "environment":
            let environment = try state.environment(deployment.key.environmentID)
            return .object(RailwayEnvironmentObject(environment: environment, state: state))
        case "service":
            return .object(RailwayServiceObject(service: try state.service(deployment.key.serviceID), state: state))
        default: return .null
        }
    }
}

struct RailwayVolumeObject: GraphQLObject {
    let volume: RailwayState.Volume
    let state: RailwayState

    func value(of name: String, _ arguments: JSONObject) throws(GraphQLError) -> GraphQLValue {
        switch name {
        case "id": return .text(volume.id)
        case "name": return .text(volume.name)
        case "projectId": return .text(volume.projectID)
        case "project":
            return .object(RailwayProjectObject(project: try state.project(volume.projectID), state: state))
        case "createdAt": return .time(volume.createdAt)
        case "volumeInstances":
            return try .page(of: [volume], arguments, id: \.instanceID) {
                RailwayVolumeInstanceObject(volume: $0, state: state)
            }
        default: return .null
        }
    }
}

struct RailwayVolumeInstanceObject: GraphQLObject {
    let volume: RailwayState.Volume
    let state: RailwayState

    func value(of name: String, _ arguments: JSONObject) throws(GraphQLError) -> GraphQLValue {
        switch name {
        case "id": return .text(volume.instanceID)
        case "volumeId": return .text(volume.id)
        case "volume": return .object(RailwayVolumeObject(volume: volume, state: state))
        case "serviceId": return .text(volume.serviceID)
        case "environmentId": return .text(volume.environmentID)
        case "mountPath": return .text(volume.mountPath)
        case "sizeMB": return .number(5_000)
        case "currentSizeMB": return .number(0)
        case "state": return .text("READY")
        case "createdAt": return .time(volume.createdAt)
        default: return .null
        }
    }
}
