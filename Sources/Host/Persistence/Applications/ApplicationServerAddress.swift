import Domain

/// Where applications reach the server of their databases.
public struct ApplicationServerAddress: Sendable, Hashable {
    public let host: String
    public let port: Int
    /// libpq's `sslmode`; nil for its default.
    public let encryption: String?

    /// - Parameter encryption: libpq's `sslmode`; nil for its default.
    public init(host: String, port: Int, encryption: String? = nil) {
        self.host = host
        self.port = port
        self.encryption = encryption
    }

    /// The address that a connection URL names; nil where it names none, or several, or a Unix socket.
    init?(_ url: String) {
        guard let options = ConnectionString.options(url),
            let host = options["hostaddr"] ?? options["host"], !host.isEmpty, !host.contains(","),
            !host.hasPrefix("/"), !host.hasPrefix("@"), let port = Int(options["port"] ?? "5432")
        else { return nil }
        // An application has no certificates to verify with.
        let encryption = options["sslmode"].map { $0.hasPrefix("verify-") ? "require" : $0 }
        self.init(host: options["host"].flatMap { $0.isEmpty ? nil : $0 } ?? host, port: port, encryption: encryption)
    }

    /// The connection URL of a role on the database of its name.
    ///
    /// - Parameter password: of characters that stand for themselves in a URL.
    func url(of name: ApplicationDatabaseName, password: String) -> String {
        let host = host.contains(":") ? "[\(host)]" : host
        let query = encryption.map { "?sslmode=\($0)" } ?? ""
        return "postgresql://\(name.text):\(password)@\(host):\(port)/\(name.text)\(query)"
    }
}
