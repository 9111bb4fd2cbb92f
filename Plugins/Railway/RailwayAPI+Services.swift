import PluginKit

extension RailwayAPI {
    /// Changes a service's settings, where any is given. They take effect with its next deployment.
    func update(
        _ place: Place, startCommand: String? = nil, healthCheckPath: String? = nil, image: String? = nil
    ) async throws {
        var settings = JSONObject()
        settings["startCommand"] = startCommand.map(JSON.string)
        settings["healthcheckPath"] = healthCheckPath.map(JSON.string)
        settings["source"] = image.map { ["image": .string($0)] }
        guard !settings.isEmpty else { return }
        let variables: JSON = [
            "serviceId": .string(place.serviceID), "environmentId": .string(place.environmentID),
            "input": .object(settings),
        ]
        try await confirm(.serviceInstanceUpdate, variables, field: "serviceInstanceUpdate")
    }

    /// Sets variables of a service, and leaves its others. They take effect with its next deployment.
    func set(_ values: JSONObject, at place: Place, fillsSecrets: Bool) async throws {
        guard !values.isEmpty else { return }
        let input = place.variables(["variables": .object(values), "skipDeploys": true])
        try await confirm(
            .variableCollectionUpsert, ["input": input], field: "variableCollectionUpsert", fillsSecrets: fillsSecrets)
    }

    /// A mutation that answers true, where anything else means that it was not done.
    func confirm(
        _ document: Document, _ variables: JSON, field: String, fillsSecrets: Bool = false
    ) async throws {
        let answer = try await perform(document, variables, field: field, fillsSecrets: fillsSecrets)
        guard try answer.bool() else {
            throw PluginError(.upstream, "Railway did not carry out \(document.name)")
        }
    }

    /// A deletion: false where there was nothing to delete.
    func delete(_ document: Document, _ variables: JSON, field: String) async throws -> Bool {
        guard let answer = try await find(document, variables, field: field) else { return false }
        guard try answer.bool() else {
            throw PluginError(.upstream, "Railway did not carry out \(document.name)")
        }
        return true
    }
}
