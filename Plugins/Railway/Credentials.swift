/// What a database's server is made with, and reached by.
struct Credentials: Sendable, Hashable {
    let user: String
    let password: String
    let database: String

    init(user: String, password: String, database: String) {
        self.user = user
        self.password = password
        self.database = database
    }

    /// A fresh password from the system's source of randomness: 32 characters, some 190 bits, none of which means
    /// anything in a URL or a shell.
    static func generate() -> Credentials {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        var generator = SystemRandomNumberGenerator()
        let password = String((0..<32).map { _ in alphabet[Int.random(in: alphabet.indices, using: &generator)] })
        return Credentials(user: "postgres", password: password, database: "railway")
    }

    func url(host: String, port: Int64) -> String {
        "postgresql://\(user.percentEncoded):\(password.percentEncoded)@\(host):\(port)/\(database.percentEncoded)"
    }
}
