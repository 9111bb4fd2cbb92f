import Domain

extension RailwayPlatform {
    /// What exists, for whoever has to know that nothing is left: no variable's value and no password.
    var stateJSON: JSON {
        let state = now
        return [
            "projects": .array(state.projects.map { ["id": .string($0.id), "name": .string($0.name)] }),
            "environments": .array(
                state.environments.map {
                    ["id": .string($0.id), "name": .string($0.name), "project_id": .string($0.projectID)]
                }),
            "services": .array(
                state.services.map {
                    ["id": .string($0.id), "name": .string($0.name), "project_id": .string($0.projectID)]
                }),
            "databases": .array(
                state.instances.filter { $0.database != nil }.map { instance in
                    ["name": .string(instance.databaseName), "service_id": .string(instance.key.serviceID)]
                }),
            "variables": .array(
                state.variables.flatMap { scope, variables in
                    variables.keys.map { name in
                        ["service_id": scope.serviceID.map(JSON.string) ?? .null, "name": .string(name)]
                    }
                }),
            "domains": .array(
                state.serviceDomains.map {
                    ["id": .string($0.id), "domain": .string($0.domain), "service_id": .string($0.key.serviceID)]
                }),
            "custom_domains": .array(
                state.customDomains.map {
                    [
                        "id": .string($0.id), "domain": .string($0.domain), "service_id": .string($0.key.serviceID),
                        "is_verified": .bool($0.isVerified),
                    ]
                }),
            "tcp_proxies": .array(
                state.proxies.map {
                    [
                        "id": .string($0.id), "port": .integer(Int64($0.proxyPort)),
                        "service_id": .string($0.key.serviceID),
                    ]
                }),
            "volumes": .array(
                state.volumes.map {
                    ["id": .string($0.id), "service_id": $0.serviceID.map(JSON.string) ?? .null]
                }),
            "deployments": .array(
                state.deployments.map {
                    [
                        "id": .string($0.id), "service_id": .string($0.key.serviceID),
                        "status": .string($0.status.rawValue), "message": $0.message.map(JSON.string) ?? .null,
                    ]
                }),
        ]
    }
}
