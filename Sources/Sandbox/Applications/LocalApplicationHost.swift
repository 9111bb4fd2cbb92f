public import Domain
import Glibc
public import Logging
import Synchronization

/// Really runs what was deployed to the simulated platform: as processes of this machine, through the runner
/// `aibackend-app-runner`, which confines each to its files, its port and the PostgreSQL ports that its environment
/// names.
///
/// Where this process is root each application has a user of its own; else it runs as this process's user, and the
/// build's log says so. Nothing is installed: what an application needs beside its files is what this system has.
/// Applications do not outlive this process, however it ends.
///
/// Usable from any task; what blocks runs on threads of its own.
public final class LocalApplicationHost: ApplicationHost {
    /// Users of applications, when this process is root: none of Debian's ranges, and none that systemd hands out.
    public static let users: Range<UInt32> = 70_000..<70_064

    private enum Slot {
        /// Becomes `running`, or goes.
        case starting
        case running(Application)
        /// Goes when it has ended and its files are removed; those who stop it again wait for that.
        case stopping([CheckedContinuation<Void, Never>])
    }

    struct Application: Sendable {
        let process: ApplicationProcess
        let layout: ApplicationLayout
        let user: ApplicationUser
        let exits: AsyncStream<ApplicationExit>.Continuation
    }

    let runner: String
    let directory: ApplicationDirectory
    let users: ApplicationUsers
    let limits: ApplicationArchive.Limits
    let clock: any Clock<Duration>
    private let databases: (any PlatformDatabases)?
    private let databaseHost: String
    private let databasePort: Int
    private let logger: Logger
    private let slots = Mutex<[String: Slot]>([:])

    /// - Parameters:
    ///   - runner: the path of `aibackend-app-runner`.
    ///   - directory: absolute; made if it is not there. This host's alone: what is in it is removed. Where this
    ///     process is root its parents must be open to other users.
    ///   - databases: what makes databases; nil refuses to.
    ///   - databaseHost: where that server is reached from this machine, with `databasePort`.
    ///   - users: ids for applications where this process is root; one at a time each.
    ///   - clock: measures how long an application takes to come up, and to end.
    public convenience init(
        runner: String, directory: String, databases: (any PlatformDatabases)? = nil,
        databaseHost: String = "127.0.0.1", databasePort: Int = 5_432, users: Range<UInt32> = users, logger: Logger,
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.init(
            runner: runner, directory: directory, databases: databases, databaseHost: databaseHost,
            databasePort: databasePort, users: users, limits: ApplicationArchive.Limits(), logger: logger, clock: clock)
    }

    init(
        runner: String, directory: String, databases: (any PlatformDatabases)?, databaseHost: String,
        databasePort: Int, users: Range<UInt32>, limits: ApplicationArchive.Limits, logger: Logger,
        clock: any Clock<Duration>
    ) {
        self.runner = runner
        self.directory = ApplicationDirectory(directory)
        self.users = ApplicationUsers(users)
        self.limits = limits
        self.clock = clock
        self.databases = databases
        self.databaseHost = databaseHost
        self.databasePort = databasePort
        self.logger = logger
    }

    public func start(
        _ application: ApplicationSpecification, onLog: @escaping @Sendable (ApplicationLogStream, String) -> Void
    ) async throws(ApplicationFailure) -> RunningApplication {
        let isNew = slots.withLock { slots in
            guard slots[application.id] == nil else { return false }
            slots[application.id] = .starting
            return true
        }
        guard isNew else { throw ApplicationFailure(.build, "an application with this id is there already") }
        let exits = AsyncStream<ApplicationExit>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let started: Application
        do throws(ApplicationFailure) {
            started = try await launch(application, exits.continuation, onLog)
        } catch {
            slots.withLock { $0[application.id] = nil }
            exits.continuation.finish()
            throw error
        }
        slots.withLock { $0[application.id] = .running(started) }
        logger.info("application started", metadata: ["id": "\(application.id)", "port": "\(application.port)"])
        return RunningApplication(port: application.port, exits: exits.stream)
    }

    public func stop(_ id: String) async {
        let application = slots.withLock { slots -> Application? in
            guard case .running(let application) = slots[id] else { return nil }
            slots[id] = .stopping([])
            return application
        }
        guard let application else { return await waitUntilStopped(id) }
        application.exits.finish()
        await end(application.process)
        await dispose(application.layout, application.user)
        let waiters = slots.withLock { slots -> [CheckedContinuation<Void, Never>] in
            defer { slots[id] = nil }
            if case .stopping(let waiters) = slots[id] { return waiters }
            return []
        }
        for waiter in waiters { waiter.resume() }
        logger.info("application stopped", metadata: ["id": "\(id)"])
    }

    /// Stops all applications: for a host that ends in an orderly way.
    public func stopAll() async {
        let ids = slots.withLock { slots in Array(slots.keys) }
        await withTaskGroup { group in
            for id in ids { group.addTask { await self.stop(id) } }
        }
    }

    private func waitUntilStopped(_ id: String) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let waits = slots.withLock { slots in
                guard case .stopping(let waiters) = slots[id] else { return false }
                slots[id] = .stopping(waiters + [continuation])
                return true
            }
            if !waits { continuation.resume() }
        }
    }
}

// MARK: - Databases

extension LocalApplicationHost {
    public func createDatabase(
        _ name: String, password: String
    ) async throws(ApplicationFailure) -> PlatformDatabase {
        guard let databases else { throw ApplicationFailure(.deploy, "there is no server for databases here") }
        do throws(ApplicationDatabaseError) {
            try await databases.create(name, password: password)
        } catch {
            throw ApplicationFailure(.deploy, error.message)
        }
        return PlatformDatabase(
            host: databaseHost, port: databasePort, name: name, user: name, password: password)
    }

    public func dropDatabase(_ name: String) async {
        guard let databases else { return }
        do throws(ApplicationDatabaseError) {
            try await databases.drop(name)
        } catch {
            logger.warning("database not removed", metadata: ["name": "\(name)", "reason": "\(error.message)"])
        }
    }
}
