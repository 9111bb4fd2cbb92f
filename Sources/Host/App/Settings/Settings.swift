import Domain

/// The configuration of one process: `aibackend.yaml` under the environment, over the defaults.
struct Settings: Sendable {
    enum Origin: Sendable, Hashable, CustomStringConvertible {
        case standard
        case file(line: Int)
        case environment(String)
        case option

        var description: String {
            switch self {
            case .standard: "default"
            case .file(let line): "aibackend.yaml, line \(line)"
            case .environment(let name): "environment, \(name)"
            case .option: "command line"
            }
        }
    }

    struct Value: Sendable {
        let text: String
        let origin: Origin
    }

    private(set) var values: [String: Value]
    /// `plugins.<id>`: each plugin's own configuration, checked against its manifest when it is loaded.
    let plugins: [String: JSON]
    /// Where secrets of plugins are looked up; a copy, so that one process reads one environment.
    let environment: [String: String]

    init(values: [String: Value], plugins: [String: JSON], environment: [String: String]) {
        self.values = values
        self.plugins = plugins
        self.environment = environment
    }

    /// The same with an option of the command line above everything.
    mutating func set(_ key: String, _ text: String?) {
        if let text { values[key] = Value(text: text, origin: .option) }
    }

    func text(_ key: String) -> String? { values[key]?.text }

    private func required(_ key: String) -> String {
        guard let value = values[key] else { preconditionFailure("the setting \(key) has no default") }
        return value.text
    }

    private func integer(_ key: String) -> Int {
        guard let number = Int(required(key)) else { preconditionFailure("\(key) was not checked") }
        return number
    }

    var host: String { required("listen.host") }
    var port: Int { integer("listen.port") }
    var publicURL: String? { text("public_url") }
    var dataDirectory: String { required("data_dir") }
    var databaseURL: String? { text("database.url") }
    var databaseWait: Duration { .seconds(integer("database.wait_seconds")) }
    var databaseAnswer: Duration { .seconds(integer("database.answer_seconds")) }
    var apiKeySalt: String? { text("api_key_salt") }
    var encryptionKey: String? { text("encryption_key") }
    var appDatabaseURL: String? { text("app_database_url") }
    var allowsPrivateWebhooks: Bool { required("webhooks.private_addresses") == "allow" }
    var allowsPrivateDeployments: Bool { required("deployments.private_addresses") == "allow" }
    var isRegistrationOpen: Bool { required("registration") == "open" }
    var templatesDirectory: String? { text("templates_dir") }
    var pricesFile: String? { text("prices_file") }
    var pluginsDirectory: String? { text("plugins_dir") }
    var logLevel: String { required("log_level") }
    var lease: Duration { .seconds(integer("engine.lease_seconds")) }
    var maximumExecutions: Int { integer("engine.maximum_executions") }
    var executionsPerUser: Int { integer("limits.executions_per_user") }
    var executions: Int { integer("limits.executions") }
    var connections: Int { integer("limits.connections") }
    var drain: Duration { .seconds(integer("engine.drain_seconds")) }

    /// A secret by the name of its variable: the value itself, or the content of the file `<NAME>_FILE` names.
    func secret(_ name: String) throws(Diagnostics) -> String? {
        try Self.secret(name, environment: environment)
    }
}
