import Domain

// Which function carries out which mutation.
extension RailwayPlatform {
    func mutate(_ name: String, _ arguments: JSON) async throws(GraphQLError) -> GraphQLValue {
        let (id, input) = (arguments.text("id"), arguments["input"] ?? .null)
        switch name {
        case "projectCreate": return .object(try createProject(input))
        case "projectUpdate": return .object(try updateProject(id, input))
        case "projectDelete": try await deleteProject(id)
        case "environmentCreate": return .object(try createEnvironment(input))
        case "environmentDelete": try await deleteEnvironment(id)
        case "serviceCreate": return .object(try createService(input))
        case "serviceUpdate": return .object(try updateService(id, input))
        case "serviceConnect": return .object(try connectService(id, input))
        case "serviceDelete": try await deleteService(id, environmentID: arguments["environmentId"]?.stringValue)
        case "serviceInstanceUpdate":
            try updateInstance(
                arguments.text("serviceId"), environmentID: arguments["environmentId"]?.stringValue, input)
        case "variableCollectionUpsert":
            try setVariables(input, input["variables"] ?? .null, replacing: input["replace"] == .bool(true))
        case "variableUpsert":
            var variables = JSONObject()
            variables[input.text("name")] = input["value"]
            try setVariables(input, .object(variables), replacing: false)
        case "variableDelete": try deleteVariable(input)
        case "volumeCreate": return .object(try createVolume(input))
        case "volumeDelete": try deleteVolume(arguments.text("volumeId"))
        case "serviceInstanceDeployV2": return .text(try deploy(.init(arguments)))
        case "serviceInstanceDeploy", "serviceInstanceRedeploy": _ = try deploy(.init(arguments))
        case "deploymentRedeploy": return .object(try redeploy(id))
        case "deploymentRemove": try await removeDeployment(id, onlyUnsettled: false)
        case "deploymentCancel": try await removeDeployment(id, onlyUnsettled: true)
        case "serviceDomainCreate": return .object(try await createServiceDomain(input))
        case "serviceDomainDelete": try deleteServiceDomain(id)
        case "customDomainCreate": return .object(try createCustomDomain(input))
        case "customDomainDelete": try deleteCustomDomain(id)
        case "tcpProxyCreate": return .object(try await createProxy(input))
        case "tcpProxyDelete": try await deleteProxy(id)
        default: throw .refused("The sandbox does not serve \(name)")
        }
        return .flag(true)
    }
}
