/// Why a private cluster could not be started, with the way out.
public struct ClusterError: Error, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable, Hashable {
        /// No PostgreSQL 15 or newer on this system.
        case serverMissing
        /// Another major version made the data directory.
        case versionMismatch
        /// A directory cannot be made, entered or written by the user that runs the server.
        case directory
        /// This process's user, or the user `postgres`, is not fit to run a server.
        case user
        /// The cluster could not be initialised.
        case initialization
        /// The server did not start, or does not answer.
        case startup
    }

    public let code: Code
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
