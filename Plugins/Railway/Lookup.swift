import PluginKit

/// `deploy.lookup`: whether an operation is complete, without changing anything. What was begun and not finished is not
/// found: calling the operation again goes on with it.
struct Lookup {
    let api: RailwayAPI
    let application: Application
    let effect: EffectReference

    func run(_ input: JSON) async throws -> JSON {
        let result: JSON? =
            switch effect.command {
            case .database: try await DatabaseOperation(api: api, application: application).find()
            case .deployment:
                try await DeployOperation(api: api, application: application, key: effect.key).find()
            case .domain:
                try await DomainOperation(api: api, application: application, domain: DomainName(parameters: input))
                    .find()
            }
        return ["found": .bool(result != nil), "result": result ?? .null]
    }
}
