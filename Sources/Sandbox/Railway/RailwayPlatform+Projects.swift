import Domain

// Projects and environments.
extension RailwayPlatform {
    func createProject(_ input: JSON) throws(GraphQLError) -> RailwayProjectObject {
        let now = wallClock.now()
        let project = RailwayState.Project(
            id: makeID(), name: try Self.name(input["name"]) ?? "sandbox-project",
            description: input["description"]?.stringValue,
            workspaceID: input["workspaceId"]?.stringValue ?? Self.workspace.id, createdAt: now, updatedAt: now)
        let environment = RailwayState.Environment(
            id: makeID(), projectID: project.id,
            name: try Self.name(input["defaultEnvironmentName"]) ?? "production", createdAt: now)
        return try change { state throws(GraphQLError) in
            try RailwayState.checkRoom(state.projects.count)
            state.projects.append(project)
            state.environments.append(environment)
            return RailwayProjectObject(project: project, state: state)
        }
    }

    func updateProject(_ id: String, _ input: JSON) throws(GraphQLError) -> RailwayProjectObject {
        let (name, now) = (try Self.name(input["name"]), wallClock.now())
        return try change { state throws(GraphQLError) in
            guard let index = state.projects.firstIndex(where: { $0.id == id }) else { throw .unknown("Project") }
            if let name { state.projects[index].name = name }
            if let description = input["description"] { state.projects[index].description = description.stringValue }
            state.projects[index].updatedAt = now
            return RailwayProjectObject(project: state.projects[index], state: state)
        }
    }

    /// Removes a project with all that is in it; returns when nothing of it runs any more.
    func deleteProject(_ id: String) async throws(GraphQLError) {
        let before = try change { state throws(GraphQLError) in
            _ = try state.project(id)
            let before = state
            let services = Set(state.services.filter { $0.projectID == id }.map(\.id))
            state.projects.removeAll { $0.id == id }
            state.environments.removeAll { $0.projectID == id }
            state.volumes.removeAll { $0.projectID == id }
            state.remove { services.contains($0.serviceID) }
            state.services.removeAll { $0.projectID == id }
            return before
        }
        let services = Set(before.services.filter { $0.projectID == id }.map(\.id))
        await tearDown(before.instances.filter { services.contains($0.key.serviceID) }, in: before)
    }

    func createEnvironment(_ input: JSON) throws(GraphQLError) -> RailwayEnvironmentObject {
        let environment = RailwayState.Environment(
            id: makeID(), projectID: input["projectId"]?.stringValue ?? "",
            name: try Self.name(input["name"]) ?? "", createdAt: wallClock.now())
        return try change { state throws(GraphQLError) in
            _ = try state.project(environment.projectID)
            try RailwayState.checkRoom(state.environments.count)
            state.environments.append(environment)
            return RailwayEnvironmentObject(environment: environment, state: state)
        }
    }

    func deleteEnvironment(_ id: String) async throws(GraphQLError) {
        let before = try change { state throws(GraphQLError) in
            _ = try state.environment(id)
            let before = state
            state.environments.removeAll { $0.id == id }
            state.volumes.removeAll { $0.environmentID == id }
            state.remove { $0.environmentID == id }
            return before
        }
        await tearDown(before.instances.filter { $0.key.environmentID == id }, in: before)
    }

    /// A name as it was given.
    ///
    /// - Returns: nil where there is none.
    static func name(_ json: JSON?) throws(GraphQLError) -> String? {
        guard let name = json?.stringValue else { return nil }
        guard !name.isEmpty, name.count <= 100 else { throw .refused("Name must be between 1 and 100 characters") }
        return name
    }
}

extension RailwayState {
    /// Forgets the instances of these keys and all that hangs on them.
    mutating func remove(_ isGone: (Instance.Key) -> Bool) {
        instances.removeAll { isGone($0.key) }
        serviceDomains.removeAll { isGone($0.key) }
        customDomains.removeAll { isGone($0.key) }
        proxies.removeAll { isGone($0.key) }
        deployments.removeAll { isGone($0.key) }
        for scope in variables.keys {
            if let service = scope.serviceID {
                let key = Instance.Key(serviceID: service, environmentID: scope.environmentID)
                if isGone(key) { variables[scope] = nil }
            } else if !environments.contains(where: { $0.id == scope.environmentID }) {
                variables[scope] = nil
            }
        }
    }
}
