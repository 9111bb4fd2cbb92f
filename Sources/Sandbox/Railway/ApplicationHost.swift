/// Runs what was deployed to the simulated platform.
///
/// The simulator calls `start` once for each deployment and `stop` at least once for each that was started, whether or
/// not it still runs; a new deployment's `start` may overlap with another one's `stop`. Implementations are called from any
/// task and must not block the cooperative pool.
public protocol ApplicationHost: Sendable {
    /// Unpacks a gzipped tar, builds where there is something to build, starts the application and returns when it
    /// listens on its port and, where there is a health check path, answers it with a 2xx status.
    ///
    /// Cancelling the calling task ends it early; whatever was begun is then undone before it throws.
    ///
    /// - Parameter onLog: lines of the build and the running application (stream, line without its end), from any
    ///   thread, until the application has ended.
    /// - Throws: `ApplicationFailure` when it cannot be started; nothing of it is left then.
    func start(
        _ application: ApplicationSpecification,
        onLog: @escaping @Sendable (ApplicationLogStream, String) -> Void
    ) async throws(ApplicationFailure) -> RunningApplication

    /// Stops it and removes its files; nothing where it does not run. Returns when its port is free again.
    ///
    /// - Parameter id: `ApplicationSpecification.id`.
    func stop(_ id: String) async

    /// Makes an empty database with a role of its own that owns it.
    ///
    /// The client chooses its own names and password; the simulator's proxy in front of the database translates the
    /// names, never the password.
    ///
    /// - Parameters:
    ///   - name: unique among the platform's databases: lower-case letters, digits and underscores, at most 63 bytes,
    ///     beginning with a letter. An implementation may use another name and says so in its answer.
    ///   - password: the role's password, any text; kept for SCRAM authentication, for MD5 would mix in the name.
    /// - Throws: `ApplicationFailure` of phase `deploy`.
    func createDatabase(_ name: String, password: String) async throws(ApplicationFailure) -> PlatformDatabase

    /// Removes a database, its role and their connections; nothing where there is none.
    ///
    /// - Parameter name: as it was given to `createDatabase`.
    func dropDatabase(_ name: String) async
}

/// What is to be started.
public struct ApplicationSpecification: Sendable {
    /// Unique for each start: lower-case hexadecimal digits and hyphens (a UUID).
    public let id: String
    /// A tar, compressed by gzip, with paths that begin with `./`. Nobody has checked its content.
    public let archive: [UInt8]
    /// The application's whole environment, beside what every process needs (PATH, HOME); `PORT` is in it.
    public let environment: [String: String]
    /// What starts it, in a shell's words; nil lets the host find out from the files.
    public let startCommand: String?
    /// Beginning with a slash; nil where listening on the port is enough.
    public let healthcheckPath: String?
    /// How long it may take from its start until it is healthy.
    public let healthcheckTimeout: Duration
    /// The port of 127.0.0.1 that it has to listen on; the same number as `PORT`.
    public let port: Int
    /// The application that holds the port until then: stopped (by the host, as by `stop`) when this one is built,
    /// so that a failed build leaves it running.
    public let replaces: String?

    /// Keeps the values as they are; they are described at the properties.
    public init(
        id: String, archive: [UInt8], environment: [String: String], startCommand: String? = nil,
        healthcheckPath: String? = nil, healthcheckTimeout: Duration = .seconds(300), port: Int,
        replaces: String? = nil
    ) {
        self.id = id
        self.archive = archive
        self.environment = environment
        self.startCommand = startCommand
        self.healthcheckPath = healthcheckPath
        self.healthcheckTimeout = healthcheckTimeout
        self.port = port
        self.replaces = replaces
    }
}

/// An application that listens and is healthy.
public struct RunningApplication: Sendable {
    /// The port of 127.0.0.1 on which it is reached.
    public let port: Int
    /// One element when it ends by itself, then the end; the end without an element when it was stopped.
    public let exits: AsyncStream<ApplicationExit>

    /// - Parameter exits: buffers its only element, for the simulator may come to read it late.
    public init(port: Int, exits: AsyncStream<ApplicationExit>) {
        self.port = port
        self.exits = exits
    }
}

/// How an application ended that nobody stopped.
public struct ApplicationExit: Sendable, Hashable {
    /// The process's exit status, or 128 and the number of the signal that ended it.
    public let status: Int32

    /// - Parameter status: 0 counts as a crash too: a service is not meant to end.
    public init(status: Int32) { self.status = status }
}

/// A database of the platform, where the simulator reaches it: an address of this machine and TCP port.
public struct PlatformDatabase: Sendable, Hashable {
    public let host: String
    public let port: Int
    public let name: String
    public let user: String
    public let password: String

    /// Keeps the values as they are.
    public init(host: String, port: Int, name: String, user: String, password: String) {
        self.host = host
        self.port = port
        self.name = name
        self.user = user
        self.password = password
    }
}

/// Which of a deployment's logs a line belongs to.
public enum ApplicationLogStream: String, Sendable, Hashable {
    /// Unpacking and building.
    case build
    /// What the application writes to its standard output.
    case standardOutput = "stdout"
    /// What the application writes to its standard error.
    case standardError = "stderr"
}

/// Why an application does not run.
public struct ApplicationFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// When it failed.
    public enum Phase: String, Sendable, Hashable {
        /// The archive cannot be unpacked, or the build failed.
        case build
        /// It ended, or did not listen or answer its health check in time.
        case deploy
    }

    public let phase: Phase
    /// For whoever deployed it: one line, without a secret.
    public let message: String

    /// - Parameter message: one line, without a secret.
    public init(_ phase: Phase, _ message: String) {
        self.phase = phase
        self.message = message
    }

    public var description: String { "\(phase.rawValue) failed: \(message)" }
}
