import Domain

/// How an application is started, read from the names of its files, and the file in which its deployment target looks
/// for that.
struct DeploymentConfiguration {
    static let healthCheckPath = "/health"
    /// What every application finds in its environment.
    static let variables = ["PORT", "DATABASE_URL", "ADMIN_EMAIL", "ADMIN_PASSWORD"]

    let provider: String
    let environment: String
    let startCommand: String?

    init(_ input: JSON) throws(ProviderError) {
        provider = try Self.text("provider", of: input) ?? CoreDispatch.providerName
        environment =
            try Self.text("environment", of: input) ?? input["application"]?["environment"]?.stringValue
            ?? "production"
        startCommand = Self.startCommand(
            for: Set((input["source_paths"]?.arrayValue ?? []).compactMap(\.stringValue)))
    }

    /// A parameter that may be left out, but not be anything else than a name.
    private static func text(_ name: String, of input: JSON) throws(ProviderError) -> String? {
        guard let value = input["parameters"]?[name], !value.isNull else { return nil }
        guard let text = value.stringValue, !text.allSatisfy(\.isWhitespace) else {
            throw ProviderError(.invalid, "create_deployment_config needs \(name) as a text, not as \(value.typeName)")
        }
        return text
    }

    /// A `Procfile`'s own word is the target's to read: then, as where nothing is known, there is no command.
    static func startCommand(for paths: Set<String>) -> String? {
        if paths.contains("Procfile") { return nil }
        if paths.contains("package.json") { return "npm start" }
        if let main = ["main.py", "app.py", "server.py"].first(where: paths.contains) { return "python3 \(main)" }
        return nil
    }

    var result: JSON {
        [
            "summary": .string(summary), "provider": .string(provider), "environment": .string(environment),
            "start_command": startCommand.map { .string($0) } ?? .null,
            "health_check_path": .string(Self.healthCheckPath),
            "variables": .array(Self.variables.map { .string($0) }), "files": .array(files),
        ]
    }

    private var summary: String {
        let start = startCommand.map { "started with \"\($0)\"" } ?? "started as its own files say"
        return "Runs on \(provider) (\(environment)), \(start), healthy when \(Self.healthCheckPath) answers 200."
    }

    private var files: [JSON] {
        guard provider == "railway" else { return [] }
        // https://docs.railway.com/reference/config-as-code
        var deploy: JSON = ["healthcheckPath": .string(Self.healthCheckPath), "restartPolicyType": "ON_FAILURE"]
        if let startCommand { deploy.set("startCommand", .string(startCommand)) }
        let config: JSON = ["$schema": "https://railway.com/railway.schema.json", "deploy": deploy]
        return [["path": "railway.json", "content": .string(config.text + "\n")]]
    }
}
