import PluginKit

/// `deploy.deploy`: the application's source as the service `app` of its project.
struct DeployOperation {
    static let service = "app"

    let api: RailwayAPI
    let application: Application
    /// The step's key, which the deployment carries as its message.
    let key: String

    func run(_ request: DeployRequest) async throws -> JSON {
        guard !key.isEmpty else { throw PluginError(.invalid, "the call has no idempotency key") }
        let place = try await api.ensureService(Self.service, of: application)
        let domain = try await api.ensureServiceDomain(at: place)
        let deployment: String
        if let begun = try await begun(at: place) {
            deployment = begun.id
        } else {
            try await api.update(
                place, startCommand: request.startCommand, healthCheckPath: request.healthCheckPath)
            try await api.set(request.variables, at: place, fillsSecrets: true)
            deployment = try await api.upload(request.source, to: place, message: key)
        }
        var watch = DeploymentWatch(api: api, deployment: deployment)
        let status = try await watch.untilRunning()
        return result(place, domain: domain, deployment: deployment, status)
    }

    /// The result for a deployment of this step that runs; nil for anything less.
    func find() async throws -> JSON? {
        guard let place = try await api.place(of: Self.service, application),
            let begun = try await begun(at: place), begun.status.isRunning,
            let domain = try await api.serviceDomain(at: place)
        else { return nil }
        return result(place, domain: domain, deployment: begun.id, begun.status)
    }

    /// The deployment that an earlier attempt at this step began, unless nothing can come of it any more.
    private func begun(at place: Place) async throws -> Deployment? {
        try await api.deployments(at: place).first { $0.message == key && $0.status.isAlive }
    }

    private func result(_ place: Place, domain: String, deployment: String, _ status: DeploymentStatus) -> JSON {
        [
            "app_url": .string("\(api.settings.scheme)://\(domain)"), "deployment_id": .string(deployment),
            "status": .string(status.name), "resource": place.resource(["deployment_id": .string(deployment)]),
        ]
    }
}
