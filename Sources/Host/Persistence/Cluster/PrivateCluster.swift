import CLibpq
import Domain
import Glibc
public import Logging
import Synchronization

/// A PostgreSQL of the host's own, on a Unix socket in its data directory, from the server that the system has.
///
/// One thread starts the server, watches it, and starts it again when it ends; the server shuts down with the
/// host, however the host ends. Only the host's own user can connect, as the role `aibackend`.
public final class PrivateCluster: Sendable {
    private struct State {
        var isStopping = false
        var isOver = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// What `Database.connect` takes: the database `aibackend`.
    public let connectionURL: String
    /// The port of 127.0.0.1 it listens on; nil where there is only the socket.
    public let port: Int?
    private let logger: Logger
    private let wake: EventCounter
    private let state = Mutex(State())

    private init(_ layout: ClusterLayout, wake: EventCounter, logger: Logger) {
        connectionURL = layout.connectionURL
        port = layout.listeningPort
        self.wake = wake
        self.logger = logger
    }

    /// Starts the cluster in a directory, which is made and initialised if there is none; a server that still runs
    /// there is taken over. Returns when it accepts connections.
    ///
    /// A host that is root runs the server as the user `postgres`; every other host as itself.
    ///
    /// - Parameters:
    ///   - dataDirectory: holds `data`, `socket` and `server.log`. Its parents must be open to the user that runs the
    ///     server.
    ///   - port: nil for a cluster on its socket alone. With a port of 127.0.0.1, or 0 for one that is free, it is one
    ///     for `PostgresApplicationDatabases`: its role `aibackend` may make roles, and each other role reaches the
    ///     database of its own name over that port, by password. A directory keeps to what it was made for.
    public static func start(
        dataDirectory: String, listeningOn port: Int? = nil, logger: Logger
    ) async throws(ClusterError) -> PrivateCluster {
        try await start(dataDirectory: dataDirectory, listeningOn: port, settings: [], logger: logger)
    }

    /// - Parameter settings: `name=value` for the server's command line.
    static func start(
        dataDirectory: String, listeningOn port: Int? = nil, settings: [String], logger: Logger
    ) async throws(ClusterError) -> PrivateCluster {
        let result: Result<PrivateCluster, ClusterError> = await withCheckedContinuation { continuation in
            do throws(DatabaseError) {
                try DatabaseThread.start("db-cluster") {
                    run(dataDirectory: dataDirectory, port: port, settings: settings, logger: logger) {
                        continuation.resume(returning: $0)
                    }
                }
            } catch {
                continuation.resume(returning: .failure(ClusterError(.startup, error.ledgerError.message)))
            }
        }
        return try result.get()
    }

    /// Shuts the server down, unless another living host had started it, and waits for its end.
    public func stop() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isOver = state.withLock { state in
                state.isStopping = true
                if !state.isOver { state.waiters.append(continuation) }
                return state.isOver
            }
            if isOver { continuation.resume() } else { wake.add() }
        }
    }

    /// The cluster's thread. The server's parent-death signal comes when this thread ends, so it stays until the
    /// server is gone.
    private static func run(
        dataDirectory: String, port: Int?, settings: [String], logger: Logger,
        onStart: (Result<PrivateCluster, ClusterError>) -> Void
    ) {
        do throws(ClusterError) {
            let account = try ClusterAccount.current()
            var layout = try ClusterLayout(dataDirectory, account: account, isListening: port != nil)
            let lock = try StartLock(layout.lock)
            if let port { layout.listeningPort = try ClusterPort.choose(port, for: layout) }
            let binaries = try ClusterInitialization(layout: layout, account: account).run()
            let server = ClusterServer(
                layout: layout, account: account, binaries: binaries, settings: settings, logger: logger)
            let process = try server.launch()
            lock.release()
            let wake: EventCounter
            do throws(DatabaseError) { wake = try EventCounter(.signal) } catch {
                process.shutDown()
                throw ClusterError(.startup, error.ledgerError.message)
            }
            let cluster = PrivateCluster(layout, wake: wake, logger: logger)
            onStart(.success(cluster))
            cluster.supervise(server, process)
        } catch {
            onStart(.failure(error))
        }
    }

    private func supervise(_ server: ClusterServer, _ first: ServerProcess) {
        var process: ServerProcess? = first
        var backoff = Backoff()
        while !state.withLock({ $0.isStopping }) {
            guard let running = process else {
                process = restart(server, &backoff)
                continue
            }
            guard running.waitForEnd(.seconds(60), interruption: wake) else { continue }
            logger.error("the private database server has ended; it is started again")
            running.reap()
            process = nil
        }
        if let process {
            if !process.belongsToAnotherHost { process.shutDown() }
            process.reap()
        }
        let waiters = state.withLock { state in
            state.isOver = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private func restart(_ server: ClusterServer, _ backoff: inout Backoff) -> ServerProcess? {
        var request = pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&request, 1, Int32(clamping: backoff.pause().milliseconds))
        do throws(ClusterError) {
            let process = try server.launch()
            backoff.reset()
            return process
        } catch {
            logger.error("the private database server could not be started", metadata: ["reason": "\(error)"])
            return nil
        }
    }
}

/// Lets one host at a time initialise and start a cluster. Freed by the system when its process ends.
private struct StartLock: ~Copyable {
    private let descriptor: Int32

    init(_ path: String) throws(ClusterError) {
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileSystem.failure("open", path) }
        let start = ContinuousClock.now
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard .now - start < .seconds(60) else {
                close(descriptor)
                throw ClusterError(
                    .startup, "another process has been starting the database in this directory for 60 seconds")
            }
            usleep(50_000)
        }
    }

    deinit { close(descriptor) }

    consuming func release() {}
}
