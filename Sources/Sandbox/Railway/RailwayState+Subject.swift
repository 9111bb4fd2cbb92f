import Domain

extension RailwayState {
    /// The name of the project that a call is about: the one that its variables want made, or that something belongs to
    /// whose id is among them. nil for a call about none.
    func projectName(in variables: JSON) -> String? {
        if let id = projectID(in: variables) { return projects.first { $0.id == id }?.name }
        return variables["input"]?["name"]?.stringValue
    }

    private func projectID(in value: JSON) -> String? {
        switch value {
        case .string(let id): projectID(of: id)
        case .array(let elements): elements.lazy.compactMap(projectID(in:)).first
        case .object(let object): object.members.lazy.compactMap { projectID(in: $0.value) }.first
        default: nil
        }
    }

    private func projectID(of id: String) -> String? {
        if projects.contains(where: { $0.id == id }) { return id }
        if let environment = environments.first(where: { $0.id == id }) { return environment.projectID }
        if let service = services.first(where: { $0.id == id }) { return service.projectID }
        if let deployment = deployments.first(where: { $0.id == id }) { return deployment.projectID }
        if let volume = volumes.first(where: { $0.id == id }) { return volume.projectID }
        return customDomains.first { $0.id == id }?.projectID
    }
}
