import Domain

// Services, their settings, variables and volumes.
extension RailwayPlatform {
    func createService(_ input: JSON) throws(GraphQLError) -> RailwayServiceObject {
        let now = wallClock.now()
        let (image, repository) = (input["source"]?["image"]?.stringValue, input["source"]?["repo"]?.stringValue)
        let service = RailwayState.Service(
            id: makeID(), projectID: input["projectId"]?.stringValue ?? "",
            name: try Self.name(input["name"]) ?? "sandbox-service", icon: input["icon"]?.stringValue, createdAt: now,
            updatedAt: now)
        let given = try Self.variables(input["variables"] ?? .object(JSONObject()))
        let environmentID = input["environmentId"]?.stringValue
        var created: [RailwayState.Instance.Key] = []
        let state = try change { state throws(GraphQLError) in
            let project = try state.project(service.projectID)
            try RailwayState.checkRoom(state.services.count)
            if let environmentID { _ = try state.environment(environmentID, in: project.id) }
            state.services.append(service)
            for environment in state.environments
            where environment.projectID == project.id && environment.id == environmentID ?? environment.id {
                var instance = state.addInstance(service.id, environment.id, id: makeID(), at: now)
                instance.image = image
                instance.repository = repository
                state.update(instance.key, at: now) { $0 = instance }
                state.variables[.init(environmentID: environment.id, serviceID: service.id)] = given
                created.append(instance.key)
            }
            return state
        }
        // A service that has a source is deployed at once.
        if image != nil { for key in created { _ = try? deploy(key) } }
        return RailwayServiceObject(service: service, state: state)
    }

    func updateService(_ id: String, _ input: JSON) throws(GraphQLError) -> RailwayServiceObject {
        let (name, now) = (try Self.name(input["name"]), wallClock.now())
        return try change { state throws(GraphQLError) in
            guard let index = state.services.firstIndex(where: { $0.id == id }) else { throw .unknown("Service") }
            if let name { state.services[index].name = name }
            if let icon = input["icon"] { state.services[index].icon = icon.stringValue }
            state.services[index].updatedAt = now
            return RailwayServiceObject(service: state.services[index], state: state)
        }
    }

    func connectService(_ id: String, _ input: JSON) throws(GraphQLError) -> RailwayServiceObject {
        let now = wallClock.now()
        return try change { state throws(GraphQLError) in
            let service = try state.service(id)
            for key in state.instances.map(\.key) where key.serviceID == id {
                state.update(key, at: now) {
                    $0.image = input["image"]?.stringValue
                    $0.repository = input["repo"]?.stringValue
                }
            }
            return RailwayServiceObject(service: service, state: state)
        }
    }

    /// - Parameter environmentID: where it is removed from only; nil removes it altogether.
    func deleteService(_ id: String, environmentID: String?) async throws(GraphQLError) {
        let before = try change { state throws(GraphQLError) in
            _ = try state.service(id)
            let before = state
            state.remove { $0.serviceID == id && $0.environmentID == environmentID ?? $0.environmentID }
            if !state.instances.contains(where: { $0.key.serviceID == id }) {
                state.services.removeAll { $0.id == id }
            }
            return before
        }
        await tearDown(
            before.instances.filter {
                $0.key.serviceID == id && $0.key.environmentID == environmentID ?? $0.key.environmentID
            }, in: before)
    }

    func updateInstance(
        _ serviceID: String, environmentID: String?, _ input: JSON
    ) throws(GraphQLError) {
        let now = wallClock.now()
        try change { state throws(GraphQLError) in
            _ = try state.service(serviceID)
            let keys = state.instances.map(\.key).filter {
                $0.serviceID == serviceID && $0.environmentID == environmentID ?? $0.environmentID
            }
            guard !keys.isEmpty else { throw .unknown("ServiceInstance") }
            for key in keys { state.update(key, at: now) { $0.apply(input) } }
        }
    }

    func setVariables(_ input: JSON, _ variables: JSON, replacing: Bool) throws(GraphQLError) {
        let given = try Self.variables(variables)
        let scope = try change { state throws(GraphQLError) in
            let scope = try state.variableScope(input)
            var merged = replacing ? JSONObject() : state.variables[scope] ?? JSONObject()
            for member in given.members { merged[member.key] = member.value }
            guard merged.count <= 1_000 else { throw .refused("Too many variables") }
            state.variables[scope] = merged
            return scope
        }
        if input["skipDeploys"] != .bool(true) { redeploy(scope) }
    }

    func deleteVariable(_ input: JSON) throws(GraphQLError) {
        let scope = try change { state throws(GraphQLError) in
            let scope = try state.variableScope(input)
            state.variables[scope]?[input["name"]?.stringValue ?? ""] = nil
            return scope
        }
        redeploy(scope)
    }

    /// What runs with variables that have changed is deployed again.
    private func redeploy(_ scope: RailwayState.VariableScope) {
        let state = now
        for key in state.instances.map(\.key)
        where key.environmentID == scope.environmentID && key.serviceID == scope.serviceID ?? key.serviceID {
            if state.running(key) != nil { _ = try? deploy(key) }
        }
    }

    func createVolume(_ input: JSON) throws(GraphQLError) -> RailwayVolumeObject {
        let (now, projectID) = (wallClock.now(), input["projectId"]?.stringValue ?? "")
        return try change { state throws(GraphQLError) in
            let project = try state.project(projectID)
            try RailwayState.checkRoom(state.volumes.count)
            let first = state.environments.first { $0.projectID == project.id }?.id
            let environment = try state.environment(input["environmentId"]?.stringValue ?? first ?? "", in: project.id)
            let serviceID = input["serviceId"]?.stringValue
            if let serviceID { _ = try state.service(serviceID) }
            let id = makeID()
            let volume = RailwayState.Volume(
                id: id, instanceID: makeID(), projectID: project.id, environmentID: environment.id,
                serviceID: serviceID, name: "volume-\(id.suffix(4))", mountPath: input["mountPath"]?.stringValue ?? "",
                createdAt: now)
            guard volume.mountPath.hasPrefix("/") else { throw .refused("Mount path must be absolute") }
            state.volumes.append(volume)
            return RailwayVolumeObject(volume: volume, state: state)
        }
    }

    func deleteVolume(_ id: String) throws(GraphQLError) {
        try change { state throws(GraphQLError) in
            guard state.volumes.contains(where: { $0.id == id }) else { throw .unknown("Volume") }
            state.volumes.removeAll { $0.id == id }
        }
    }

    /// A map of names to texts; numbers and flags become texts, as they do there.
    private static func variables(_ json: JSON) throws(GraphQLError) -> JSONObject {
        var variables = JSONObject()
        for member in json.objectValue?.members ?? [] {
            guard !member.key.isEmpty, !member.key.contains("="), !member.key.contains("\0") else {
                throw .refused("Invalid variable name")
            }
            switch member.value {
            case .string(let text) where text.utf8.count <= 32_768 && !text.contains("\0"):
                variables[member.key] = .string(text)
            case .integer, .decimal, .bool: variables[member.key] = .string(member.value.text)
            default: throw .refused("Invalid value of variable \(member.key)")
            }
        }
        return variables
    }
}

extension RailwayState {
    func environment(_ id: String, in projectID: String) throws(GraphQLError) -> Environment {
        let environment = try environment(id)
        guard environment.projectID == projectID else { throw .unknown("Environment") }
        return environment
    }

    fileprivate mutating func addInstance(
        _ serviceID: String, _ environmentID: String, id: String, at time: Timestamp
    ) -> Instance {
        let key = Instance.Key(serviceID: serviceID, environmentID: environmentID)
        let instance = Instance(id: id, key: key, createdAt: time, updatedAt: time)
        instances.append(instance)
        return instance
    }

    fileprivate func variableScope(_ input: JSON) throws(GraphQLError) -> VariableScope {
        let project = try project(input["projectId"]?.stringValue ?? "")
        let environment = try environment(input["environmentId"]?.stringValue ?? "", in: project.id)
        let serviceID = input["serviceId"]?.stringValue
        if let serviceID { _ = try instance(.init(serviceID: serviceID, environmentID: environment.id)) }
        return VariableScope(environmentID: environment.id, serviceID: serviceID)
    }
}

extension RailwayState.Instance {
    /// Takes over the settings that are given; null takes one back.
    fileprivate mutating func apply(_ input: JSON) {
        if let value = input["startCommand"] { startCommand = value.stringValue }
        if let value = input["buildCommand"] { buildCommand = value.stringValue }
        if let value = input["healthcheckPath"] { healthcheckPath = value.stringValue }
        if let value = input["healthcheckTimeout"] { healthcheckSeconds = value.integerValue.map { Int($0) } }
        if let value = input["numReplicas"] { replicas = value.integerValue.map { Int($0) } }
        if let value = input["region"] { region = value.stringValue }
        if let value = input["rootDirectory"] { rootDirectory = value.stringValue }
        if let source = input["source"] {
            image = source["image"]?.stringValue
            repository = source["repo"]?.stringValue
        }
    }
}
