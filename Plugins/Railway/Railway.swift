package import PluginKit

/// Railway behind the `deploy.*` operations.
///
/// Railway takes no idempotency key, so nothing is made before it was looked for: all that one execution makes lives in
/// one project, which is found again by its name, and a deployment carries the step's key as its message.
package struct Railway: Plugin {
    package static var manifest: [UInt8] { PackageResources.plugin_json }

    private let settings: Settings

    package init(configuration: JSON, host: Host) throws {
        settings = try Settings(configuration)
    }

    package func call(_ call: Call) async throws -> JSON {
        let api = RailwayAPI(call: call, settings: settings)
        let application = try Application(call.input)
        switch call.operation {
        case "deploy.provision_database":
            return try await DatabaseOperation(api: api, application: application).run()
        case "deploy.deploy":
            let request = try DeployRequest(call.input)
            return try await DeployOperation(api: api, application: application, key: call.idempotencyKey).run(request)
        case "deploy.setup_domain":
            let domain = try DomainName(parameters: call.input)
            return try await DomainOperation(api: api, application: application, domain: domain).run()
        case "deploy.lookup":
            return try await Lookup(api: api, application: application, effect: EffectReference(call.input))
                .run(call.input)
        case "deploy.delete":
            return try await Deletion(api: api, application: application, effect: EffectReference(call.input))
                .run(call.input)
        default: throw PluginError(.unsupported, "Railway serves no operation \(call.operation)")
        }
    }
}
