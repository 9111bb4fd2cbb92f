import PluginKit

/// Where a service's port is reached from outside.
struct Proxy: Sendable, Hashable {
    let host: String
    let port: Int64
    /// Whether Railway is still setting it up.
    let isPending: Bool
}

extension RailwayAPI {
    /// A service's variables as its deployments see them.
    func variables(at place: Place) async throws -> Answer {
        let variables = try await perform(.variables, place.variables(), field: "variables")
        guard variables.value.objectValue != nil else { throw variables.malformed("an object") }
        return variables
    }

    func proxy(ofPort port: Int64, at place: Place) async throws -> Proxy? {
        let variables: JSON = [
            "environmentId": .string(place.environmentID), "serviceId": .string(place.serviceID),
        ]
        let list = try await perform(.tcpProxies, variables, field: "tcpProxies").list()
        let living = Answer.living(list).filter { proxy in
            proxy["applicationPort"].value == .integer(port)
                && !["DELETED", "DELETING"].contains(proxy["syncStatus"].optionalText)
        }
        guard let proxy = living.first else { return nil }
        let host = try proxy["domain"].text()
        guard DomainName.isHost(host) else { throw proxy["domain"].malformed("a host's name") }
        return Proxy(
            host: host, port: try proxy["proxyPort"].integer(in: 1...65_535),
            isPending: ["CREATING", "UPDATING"].contains(proxy["syncStatus"].optionalText))
    }

    /// Opens a service's port to the outside, where it is not open yet.
    func ensureProxy(ofPort port: Int64, at place: Place) async throws {
        guard try await proxy(ofPort: port, at: place) == nil else { return }
        let input: JSON = [
            "environmentId": .string(place.environmentID), "serviceId": .string(place.serviceID),
            "applicationPort": .integer(port),
        ]
        _ = try await perform(.tcpProxyCreate, ["input": input], field: "tcpProxyCreate")["id"].identifier()
    }

    /// The volumes of a service, by their ids.
    func volumes(of place: Place) async throws -> [String] {
        let variables: JSON = [
            "environmentId": .string(place.environmentID), "projectId": .string(place.projectID),
        ]
        let environment = try await perform(.volumes, variables, field: "environment")
        return try Answer.living(try environment["volumeInstances"].nodes())
            .filter { $0["serviceId"].optionalText == place.serviceID }
            .map { try $0["volumeId"].identifier() }
    }

    /// Gives a service a volume, where it has none.
    func ensureVolume(mountedAt path: String, at place: Place) async throws {
        guard try await volumes(of: place).isEmpty else { return }
        let input = place.variables(["mountPath": .string(path)])
        _ = try await perform(.volumeCreate, ["input": input], field: "volumeCreate")["id"].identifier()
    }
}
