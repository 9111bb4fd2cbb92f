/// One thing an operator can set: its name in the file and in the environment, what it may be, and what it is when
/// nobody sets it. The table of these is the whole of the configuration: what is not in it is refused.
struct Setting: Sendable {
    enum Kind: Sendable {
        case text
        case path
        case integer(ClosedRange<Int>)
        case choice([String])
        /// `http://` or `https://`, or the given schemes.
        case url([String])
    }

    /// Path in `aibackend.yaml`: `listen.port`.
    let key: String
    let kind: Kind
    let defaultText: String?
    /// Never shown; may come from a file named by `<VARIABLE>_FILE`.
    let isSecret: Bool
    let help: String

    init(_ key: String, _ kind: Kind, default: String? = nil, isSecret: Bool = false, _ help: String) {
        self.key = key
        self.kind = kind
        defaultText = `default`
        self.isSecret = isSecret
        self.help = help
    }

    /// `listen.port` is `LISTEN_PORT`.
    var variable: String { key.uppercased().replacing(".", with: "_") }

    static let all: [Setting] = [
        Setting("listen.host", .text, default: "127.0.0.1", "address the API listens on"),
        Setting("listen.port", .integer(0...65_535), default: "8000", "port of the API; 0 takes a free one"),
        Setting("public_url", .url(["http", "https"]), "base of links in answers, where clients see another address"),
        Setting("data_dir", .path, default: "./aibackend-data", "private database, files and keys of this host"),
        Setting(
            "database.url", .url(["postgres", "postgresql"]), isSecret: true,
            "PostgreSQL 15 or newer; without it the host keeps a private one in data_dir"),
        Setting(
            "database.wait_seconds", .integer(1...60), default: "5",
            "how long a request waits for a connection to the database before it is told to come again"),
        Setting(
            "database.answer_seconds", .integer(1...600), default: "30",
            "how long the database may take to answer before its connection is given up"),
        Setting(
            "api_key_salt", .text, isSecret: true,
            "key of the hash under which API keys are stored; needed with database.url, else made in data_dir"),
        Setting(
            "encryption_key", .text, isSecret: true,
            "encrypts what runs make in secret (passwords, connection URLs), 64 hexadecimal digits; needed with "
                + "database.url, else made in data_dir"),
        Setting(
            "app_database_url", .url(["postgres", "postgresql"]), isSecret: true,
            "a PostgreSQL for the databases of applications, as a role that may create databases and roles; never the "
                + "one of database.url"),
        Setting(
            "webhooks.private_addresses", .choice(["refuse", "allow"]), default: "refuse",
            "whether webhooks may go to addresses that are not public"),
        Setting(
            "deployments.private_addresses", .choice(["refuse", "allow"]), default: "refuse",
            "whether deployed applications may be looked at on addresses that are not public"),
        Setting("registration", .choice(["open", "closed"]), default: "open", "who may register"),
        Setting("templates_dir", .path, "templates to register; else the ones that ship with the program"),
        Setting("prices_file", .path, "a price table of your own (JSON), laid over the built-in one"),
        Setting("plugins_dir", .path, "where plugins are; else beside the program"),
        Setting(
            "log_level", .choice(["debug", "info", "notice", "warning", "error"]), default: "notice",
            "what is logged"),
        Setting("engine.lease_seconds", .integer(3...600), default: "15", "how long a silent host keeps its runs"),
        Setting(
            "engine.maximum_executions", .integer(1...10_000), default: "256", "runs in flight at once on this host"),
        Setting(
            "limits.executions_per_user", .integer(1...1_000_000), default: "1000",
            "runs of one user that may be unfinished; another is refused with 429"),
        Setting(
            "limits.executions", .integer(1...1_000_000), default: "10000",
            "runs of all users that may be unfinished; another is refused with 503"),
        Setting(
            "limits.connections", .integer(1...1_000_000), default: "10000",
            "clients' connections at once on this host; another is refused with 503"),
        Setting("engine.drain_seconds", .integer(0...600), default: "10", "how long steps may go on at shutdown"),
    ]

    /// What is wrong with a value, or nil.
    func fault(in text: String) -> String? {
        switch kind {
        case .text, .path: return text.isEmpty ? "must not be empty" : nil
        case .integer(let range):
            guard let number = Int(text), range.contains(number) else {
                return "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
            }
            return nil
        case .choice(let choices):
            return choices.contains(text) ? nil : "must be one of \(choices.joined(separator: ", "))"
        case .url(let schemes):
            let isURL = schemes.contains { text.hasPrefix("\($0)://") && text.utf8.count > $0.utf8.count + 3 }
            return isURL
                ? nil : "must be a URL that begins with \(schemes.map { "\($0)://" }.joined(separator: " or "))"
        }
    }
}
