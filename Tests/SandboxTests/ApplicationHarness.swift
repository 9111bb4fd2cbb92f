import Domain
import Files
import Glibc
import Logging
import Synchronization
import Testing

@testable import Sandbox

/// A host for applications with a directory of its own, and what a test has heard of its applications.
struct ApplicationHarness {
    let host: LocalApplicationHost
    let directory: String
    let log = ApplicationLog()

    /// Runs a test; whatever still runs after it is stopped.
    static func run(
        limits: ApplicationArchive.Limits = ApplicationArchive.Limits(), databases: (any PlatformDatabases)? = nil,
        runner: String? = nil, clock: any Clock<Duration> = ContinuousClock(),
        _ body: (ApplicationHarness) async throws -> Void
    ) async throws {
        let directory = try temporaryDirectory()
        let host = LocalApplicationHost(
            runner: try runner ?? Self.runner, directory: directory + "/applications", databases: databases,
            databaseHost: "127.0.0.1", databasePort: 5_432, users: users(), limits: limits,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, clock: clock)
        defer { FileTree.remove(directory) }
        let failure: (any Error)?
        do {
            try await body(ApplicationHarness(host: host, directory: directory))
            failure = nil
        } catch { failure = error }
        await host.stopAll()
        if let failure { throw failure }
    }

    /// Tests run at the same time, each with a host: no two may choose the same user.
    private static func users() -> Range<UInt32> {
        let first = 80_000 + 8 * nextUsers.add(1, ordering: .relaxed).newValue
        return first..<(first + 8)
    }

    private static let nextUsers = Atomic<UInt32>(0)

    /// The product beside the tests' own binary.
    static var runner: String {
        get throws {
            let own = try unsafe #require(realpath("/proc/self/exe", nil))
            defer { unsafe free(own) }
            let places = [unsafe String(cString: own)] + CommandLine.arguments.filter { $0.contains(".xctest") }
            for place in places {
                let parts = place.split(separator: "/", omittingEmptySubsequences: false)
                for depth in 1..<max(2, parts.count) {
                    let candidate = parts.dropLast(depth).joined(separator: "/") + "/aibackend-app-runner"
                    if ApplicationFile.isFile(candidate) { return candidate }
                }
            }
            return try #require(nil as String?, "aibackend-app-runner is not beside the tests: build it first")
        }
    }

    static func temporaryDirectory() throws -> String {
        var template = Array("/tmp/aibackend-applications-XXXXXX".utf8CString)
        try #require(unsafe mkdtemp(&template) != nil)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try #require(unsafe chmod(path, 0o755) == 0)
        return path
    }

    /// Starts an application of one Python file.
    func startPython(
        _ source: String, id: String = "a1", environment: [String: String] = [:], port: Int? = nil,
        path: String? = nil, timeout: Duration = .seconds(60), replaces: String? = nil
    ) async throws -> RunningApplication {
        try await start(
            ["./main.py": source], id: id, environment: environment, port: port, path: path, timeout: timeout,
            replaces: replaces)
    }

    func start(
        _ files: [String: String], id: String = "a1", environment: [String: String] = [:], command: String? = nil,
        port: Int? = nil, path: String? = nil, timeout: Duration = .seconds(60), replaces: String? = nil
    ) async throws -> RunningApplication {
        let entries = files.sorted { $0.key < $1.key }.map { TarEntry($0.key, $0.value) }
        let port = if let port { port } else { try LoopbackListener.freePort() }
        return try await host.start(
            ApplicationSpecification(
                id: id, archive: TarEntry.archive(entries), environment: environment, startCommand: command,
                healthcheckPath: path, healthcheckTimeout: timeout, port: port, replaces: replaces)
        ) { [log] stream, line in log.add(stream, line) }
    }

    /// Whether this system keeps applications to their files, their ports and their own processes.
    static var confines: Bool {
        get async throws {
            let notices = try await notices.value
            return !notices.contains("Landlock") && !notices.contains("processes that leave")
        }
    }

    /// Whether this system lets no process of an application escape.
    static var isolates: Bool { get async throws { try await !notices.value.contains("processes that leave") } }

    /// What the runner says on this machine that it cannot confine.
    private static let notices = Task {
        let log = ApplicationLog()
        let process = try await ApplicationProcess.start(
            [
                try runner, "--uid", "\(geteuid())", "--gid", "\(getegid())", "--parent", "\(getpid())", "--workdir",
                "/",
                "--data", "/tmp", "--", "/bin/true",
            ], environment: []
        ) { log.add($0, $1) }
        await process.ended()
        return log.text
    }
}

/// What an application and its build have said.
final class ApplicationLog: Sendable {
    private let lines = Mutex<[(ApplicationLogStream, String)]>([])
    private let waiters = Mutex<[(String, CheckedContinuation<Void, Never>)]>([])

    func add(_ stream: ApplicationLogStream, _ line: String) {
        lines.withLock { $0.append((stream, line)) }
        let ready = waiters.withLock { waiters in
            defer { waiters.removeAll { line.contains($0.0) } }
            return waiters.filter { line.contains($0.0) }
        }
        for waiter in ready { waiter.1.resume() }
    }

    var text: String { lines.withLock { $0.map { "\($0.0): \($0.1)" }.joined(separator: "\n") } }

    /// Returns once a line has come that contains the text.
    func wait(for text: String) async {
        await withCheckedContinuation { continuation in
            let isThere = waiters.withLock { waiters in
                if lines.withLock({ $0.contains { $0.1.contains(text) } }) { return true }
                waiters.append((text, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }
}

/// A clock on which time passes only by sleeping, and not before a line was written.
final class ApplicationClock: Clock {
    struct Instant: InstantProtocol {
        var offset: Duration = .zero
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let time = Mutex(Instant())
    private let beforeSleep: @Sendable () async -> Void

    init(_ beforeSleep: @escaping @Sendable () async -> Void = {}) { self.beforeSleep = beforeSleep }

    var now: Instant { time.withLock(\.self) }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        await beforeSleep()
        try Task.checkCancellation()
        time.withLock { $0 = max($0, deadline) }
    }
}
