import Domain

/// What an application finds in its environment.
struct ApplicationEnvironment {
    static let searchPath = "PATH=/usr/local/bin:/usr/bin:/bin"
    /// What the kernel takes with ease.
    private static let limit = 512 << 10

    /// What was asked for, over what every program needs; the port and the directories are as they are.
    private let values: [String: String]

    /// - Throws: for names and values that no environment can hold, without the values.
    init(_ application: ApplicationSpecification, _ layout: ApplicationLayout) throws(ApplicationFailure) {
        var values = [
            "PATH": String(Self.searchPath.dropFirst("PATH=".count)), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        ]
        for (name, value) in application.environment {
            guard !name.isEmpty, !name.utf8.contains(where: { $0 == UInt8(ascii: "=") || $0 < 33 }) else {
                throw ApplicationFailure(
                    .deploy, "an environment variable's name is empty or has characters it cannot have")
            }
            guard !value.utf8.contains(0) else {
                throw ApplicationFailure(.deploy, "the environment variable \(name) has a zero byte")
            }
            values[name] = value
        }
        values["PORT"] = String(application.port)
        values["HOME"] = layout.home
        values["TMPDIR"] = layout.temporary
        self.values = values
        guard bytes.count <= Self.limit else {
            throw ApplicationFailure(.deploy, "the environment is larger than \(Self.limit >> 10) KiB")
        }
    }

    /// As the runner reads it: entries ended by a zero byte each.
    var bytes: [UInt8] {
        values.sorted { $0.key < $1.key }.flatMap { Array("\($0.key)=\($0.value)".utf8) + [0] }
    }

    /// The ports of this machine that its PostgreSQL URLs name: what else there is on loopback is not its business.
    var databasePorts: [Int] {
        Set(values.values.compactMap { DatabaseURL($0) }.filter(\.isLocal).map(\.port)).sorted()
    }

    /// What must not stand in a message: values, but for short ones, which are words; and the passwords in URLs.
    var secrets: [String] {
        values.values.filter { $0.utf8.count >= 8 } + values.values.compactMap { DatabaseURL($0)?.password }
    }
}

/// The parts of a PostgreSQL URL that matter here.
struct DatabaseURL {
    let isLocal: Bool
    let port: Int
    let password: String?

    init?(_ text: String) {
        guard let scheme = ["postgresql://", "postgres://"].first(where: text.hasPrefix) else { return nil }
        let authority = text.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let parts = authority.split(separator: "@", omittingEmptySubsequences: false)
        guard let server = parts.last, !server.contains(",") else { return nil }
        let user = parts.dropLast().joined(separator: "@")
        let secret = user.firstIndex(of: ":").map { String(user[user.index(after: $0)...]) }
        password = secret?.isEmpty == true ? nil : secret
        let colon = server.lastIndex(of: ":").map(server.index(after:))
        let host = colon.map { server[..<server.index(before: $0)] } ?? server
        isLocal = ["127.0.0.1", "localhost", "[::1]"].contains(String(host))
        guard let port = colon.map({ Int(server[$0...]) }) ?? 5_432, (1...65_535).contains(port) else { return nil }
        self.port = port
    }
}
