import CLibpq
import Glibc
import Logging
import Processes

/// Starts a private cluster's server, or finds the one that still runs. Stays on the cluster's thread, which lives
/// for as long as the server shall.
struct ClusterServer {
    /// A dead postmaster's last children hold its shared memory for a moment.
    private static let retryWindow: Duration = .seconds(5)
    /// Recovery after a crash replays the log.
    private static let startTimeout: Duration = .seconds(60)
    private static let logLimit = 8_388_608

    let layout: ClusterLayout
    let account: ClusterAccount
    let binaries: PostgresBinaries
    let settings: [String]
    let logger: Logger

    /// Returns once the server accepts connections.
    func launch() throws(ClusterError) -> ServerProcess {
        let start = ContinuousClock.now
        while true {
            if let running = ServerProcess(servingDataOf: layout) {
                if try adopt(running, since: start) { return running }
                continue
            }
            unsafe unlink(layout.pidFile)
            if let server = try spawn() { return server }
            guard .now - start < Self.retryWindow else {
                throw ClusterError(
                    .startup, "the database server did not start; the end of \(layout.log): \(logTail())")
            }
            usleep(100_000)
        }
    }

    /// true: it answers. false: it has ended.
    private func adopt(_ server: ServerProcess, since start: ContinuousClock.Instant) throws(ClusterError) -> Bool {
        while .now - start < Self.startTimeout {
            if isAnswering {
                logger.info("the private database still runs", metadata: ["pid": "\(server.pid)"])
                return true
            }
            if server.waitForEnd(.milliseconds(50)) {
                server.reap()
                return false
            }
        }
        server.reap()
        throw ClusterError(
            .startup,
            "the database server (process \(server.pid)) runs but does not answer; look into \(layout.log), then "
                + "end it with `kill -INT \(server.pid)`")
    }

    /// nil: it ended before it answered.
    private func spawn() throws(ClusterError) -> ServerProcess? {
        let log = try openLog()
        defer { close(log) }
        let addresses = layout.listeningPort == nil ? "" : "127.0.0.1"
        var arguments = [
            binaries.path("postgres"), "-D", layout.data, "-k", layout.socketDirectory, "-p", String(layout.port),
            "-c", "listen_addresses=\(addresses)", "-c", "unix_socket_permissions=0700", "-c", "logging_collector=off",
            "-c", "log_destination=stderr",
        ]
        for setting in settings { arguments += ["-c", setting] }
        let child = try ClusterProgram.start(account.command(arguments, diesWithHost: true), output: log)
        let server: ServerProcess
        do throws(SystemError) { server = try ServerProcess(child) } catch {
            child.signal(SIGINT)
            child.wait()
            throw ClusterError(.startup, "the database server: \(error)")
        }
        let start = ContinuousClock.now
        while !server.waitForEnd(.milliseconds(10)) {
            if isAnswering { return server }
            guard .now - start < Self.startTimeout else {
                server.shutDown()
                server.reap()
                throw ClusterError(
                    .startup,
                    "the database server did not answer within \(Self.startTimeout); the end of \(layout.log): "
                        + logTail())
            }
        }
        server.reap()
        return nil
    }

    private var isAnswering: Bool {
        unsafe withCStrings(["dbname", "connect_timeout"]) { keywords in
            unsafe withCStrings([layout.connectionURL, "3"]) { values in
                unsafe PQpingParams(keywords, values, 1) == PQPING_OK
            }
        }
    }

    /// Appends to the log, which starts anew when it has grown large.
    private func openLog() throws(ClusterError) -> Int32 {
        var descriptor = unsafe open(layout.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if descriptor >= 0, lseek(descriptor, 0, SEEK_END) > Self.logLimit {
            close(descriptor)
            unsafe rename(layout.log, layout.log + ".1")
            descriptor = unsafe open(layout.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        }
        guard descriptor >= 0 else { throw FileSystem.failure("open", layout.log) }
        return descriptor
    }

    private func logTail() -> String {
        (FileSystem.text(layout.log, tail: true) ?? "").split(separator: "\n").suffix(5).joined(separator: "; ")
    }
}
