import PluginKit

/// `deploy.delete`: removes what an operation made, and the project with its last service. What is not there any more
/// is no error.
struct Deletion {
    let api: RailwayAPI
    let application: Application
    let effect: EffectReference

    func run(_ input: JSON) async throws -> JSON {
        var isDeleted = false
        for project in try await api.projects(of: application, id: effect.id("project_id")) {
            let hasDeleted =
                switch effect.command {
                case .database: try await deleteService(DatabaseOperation.service, of: project)
                case .deployment: try await deleteService(DeployOperation.service, of: project)
                case .domain: try await deleteDomain(try DomainName(parameters: input), of: project)
                }
            if hasDeleted { isDeleted = true }
        }
        return ["deleted": .bool(isDeleted)]
    }

    private func deleteService(_ name: String, of project: Project) async throws -> Bool {
        // Also one that was renamed since it was made.
        let noted = effect.id("service_id").flatMap { project.serviceIDs.contains($0) ? $0 : nil }
        let service = noted ?? project.services[name]
        // The project goes with its last service and all that is in it, volumes included.
        guard project.serviceIDs.contains(where: { $0 != service }) else { return try await delete(project) }
        guard let service else { return false }
        if let environment = project.environments[application.environment] {
            let place = Place(projectID: project.id, environmentID: environment, serviceID: service)
            for volume in try await api.volumes(of: place) {
                _ = try await api.delete(.volumeDelete, ["volumeId": .string(volume)], field: "volumeDelete")
            }
        }
        return try await api.delete(.serviceDelete, ["id": .string(service)], field: "serviceDelete")
    }

    private func deleteDomain(_ domain: DomainName, of project: Project) async throws -> Bool {
        guard !project.serviceIDs.isEmpty else { return try await delete(project) }
        guard let environment = project.environments[application.environment],
            let service = project.services[DeployOperation.service]
        else { return false }
        let place = Place(projectID: project.id, environmentID: environment, serviceID: service)
        guard let custom = try await api.customDomain(domain, at: place) else { return false }
        return try await api.delete(.customDomainDelete, ["id": .string(custom.id)], field: "customDomainDelete")
    }

    private func delete(_ project: Project) async throws -> Bool {
        try await api.delete(.projectDelete, ["id": .string(project.id)], field: "projectDelete")
    }
}
