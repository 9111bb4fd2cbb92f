/// One run of git: what it is given and what bounds it.
struct GitCommand: Sendable {
    /// Without the program itself.
    let arguments: [String]
    /// The bare repository in which it runs.
    let repository: String
    var input: [UInt8] = []
    /// The protocol that a client asked for.
    var version: String?
    /// From start to end.
    let timeout: Duration
    /// Without a byte going in or coming out, be it git's fault or that of whoever reads.
    let patience: Duration

    init(
        _ arguments: [String], in repository: String, input: [UInt8] = [], version: String? = nil, timeout: Duration,
        patience: Duration
    ) {
        self.arguments = arguments
        self.repository = repository
        self.input = input
        self.version = version
        self.timeout = timeout
        self.patience = patience
    }

    /// For messages.
    var name: String { "git \(arguments.first { !$0.hasPrefix("-") && !$0.contains("=") } ?? "")" }
}
