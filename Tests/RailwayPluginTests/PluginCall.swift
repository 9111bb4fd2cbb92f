import PluginKit
import PluginTestHost
import Testing

/// One call against a fake Railway.
struct PluginCall {
    static let key = "0192f0c1-7a3b-7c4d-8e5f-0123456789ab/8"
    static let projectName = "invoice-pilot-0123456789ab"
    static let application: JSON = [
        "id": "0192f0c1-7a3b-7c4d-8e5f-0123456789ab", "name": "invoice-pilot", "environment": "production",
    ]
    static let databaseSecret = "0192f0c1-7a3b-7c4d-8e5f-aaaaaaaaaaaa"
    static let digest = String(repeating: "ab", count: 32)

    static let database: JSON = ["application": application, "parameters": ["provider": "postgresql"]]
    static let deploy: JSON = [
        "application": application, "parameters": [:],
        "source": ["blob": .string(digest), "bytes": 1_024, "paths": ["package.json"]],
        "variables": [
            "DATABASE_URL": ["$secret": .string(databaseSecret)], "ADMIN_EMAIL": "ada@example.com",
        ],
        "health_check_path": "/health", "start_command": "node server.js",
    ]
    static let domain: JSON = [
        "application": application,
        "parameters": ["domain": "App.Example.com", "app_url": "https://app-production.up.railway.app"],
    ]

    /// The input of `deploy.lookup` and `deploy.delete` for an effect of one of the inputs above.
    static func about(_ command: String, _ input: JSON, resource: JSON = .null) -> JSON {
        [
            "application": input["application"] ?? .null, "parameters": input["parameters"] ?? .null,
            "effect": ["command": .string(command), "key": .string(key), "resource": resource],
        ]
    }

    static func run(
        _ operation: String, _ input: JSON, on railway: FakeRailway, key: String = key,
        baseURL: String = "https://backboard.railway.com", workspace: String? = nil
    ) async throws -> FakeHost.Outcome {
        var configuration = JSONObject()
        configuration["base_url"] = .string(baseURL)
        configuration["poll_interval_ms"] = 20
        configuration["workspace_id"] = workspace.map(JSON.string)
        let host = try #require(FakeHost(library: "Railway", configuration: .object(configuration)))
        return await host.run(operation, input: input, key: key, answer: railway.answer)
    }

    /// A Railway with a deployed application and a running database.
    static func deployed() async throws -> FakeRailway {
        let railway = FakeRailway()
        #expect(try await run("deploy.provision_database", database, on: railway).status == AIB_OK)
        #expect(try await run("deploy.deploy", deploy, on: railway).status == AIB_OK)
        return railway
    }
}
