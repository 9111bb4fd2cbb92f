import PluginKit

/// `deploy.setup_domain`: a domain of the user's own for the service `app`. Nothing is bought, and nobody waits for the
/// DNS.
struct DomainOperation {
    let api: RailwayAPI
    let application: Application
    let domain: DomainName

    func run() async throws -> JSON {
        guard let place = try await api.place(of: DeployOperation.service, application) else {
            throw PluginError(
                .invalid,
                "the project \(application.projectName) on Railway has no application that could be given a domain")
        }
        if let custom = try await api.customDomain(domain, at: place) { return result(place, custom) }
        return result(place, try await api.createCustomDomain(domain, at: place))
    }

    /// The result with the status as it is now; nil where the domain was not added.
    func find() async throws -> JSON? {
        guard let place = try await api.place(of: DeployOperation.service, application),
            let custom = try await api.customDomain(domain, at: place)
        else { return nil }
        return result(place, custom)
    }

    private func result(_ place: Place, _ custom: CustomDomain) -> JSON {
        let records = custom.records.map { record -> JSON in
            ["type": .string(record.type), "name": .string(record.name), "value": .string(record.value)]
        }
        return [
            "domain": .string(domain.text), "status": custom.isActive ? "active" : "pending_dns",
            "records": .array(records),
            "resource": place.resource(["domain_id": .string(custom.id), "domain": .string(domain.text)]),
        ]
    }
}
