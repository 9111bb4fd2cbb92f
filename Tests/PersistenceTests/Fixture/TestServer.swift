import Domain
import Files
import Glibc
import Logging
import Synchronization

@testable import Persistence

/// One private cluster for the whole test process, with a migrated database that tests copy. The server dies with
/// the process; its directory is removed when the process exits.
enum TestServer {
    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static let cluster = Task {
        let directory = try temporaryDirectory()
        let cluster = try await PrivateCluster.start(
            dataDirectory: directory, settings: ["max_connections=400", "fsync=off"], logger: logger)
        let url = cluster.connectionURL
        try await execute("CREATE DATABASE migrated", at: url)
        let database = try await Database.connect(named("migrated", url), logger: logger)
        _ = try await Migrator(database).migrate()
        await database.close()
        return url
    }

    private static let databases = Atomic(0)

    /// Makes a database, migrated or empty, and answers its URL.
    static func makeDatabase(migrated: Bool = true) async throws -> String {
        let url = try await cluster.value
        let name = "test_\(databases.add(1, ordering: .relaxed).newValue)"
        try await copying.run {
            let template = migrated ? "migrated" : "template1"
            try await execute("CREATE DATABASE \(name) TEMPLATE \(template) STRATEGY FILE_COPY", at: url)
        }
        return named(name, url)
    }

    static func dropDatabase(_ database: String) async throws {
        let name = database.split(separator: "?")[0].split(separator: "/").last ?? ""
        try await execute("DROP DATABASE \(name) WITH (FORCE)", at: try await cluster.value)
    }

    /// The server refuses two copies of one database at once.
    private static let copying = OneAtATime()

    /// A directory that the user `postgres` can enter, removed when the process exits.
    static func temporaryDirectory() throws -> String {
        var template = Array("/tmp/aibackend-tests-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw TestFailure("mkdtemp: \(errno)") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        _ = unsafe chmod(path, 0o711)
        directories.withLock { directories in
            if directories.isEmpty {
                atexit {
                    for path in TestServer.directories.withLock({ $0 }) { TestServer.remove(path) }
                }
            }
            directories.append(path)
        }
        return path
    }

    private static let directories = Mutex<[String]>([])

    /// Ends the server that may run in a directory at once, and removes the directory. Under another name first, so
    /// that the server's supervisor, which still lives, has nothing to start again.
    private static func remove(_ path: String) {
        let doomed = path + ".gone"
        guard unsafe rename(path, doomed) == 0 else { return }
        if let text = FileSystem.text(doomed + "/data/postmaster.pid"), let pid = pid_t(text.prefix { $0.isNumber }) {
            kill(pid, SIGQUIT)
            for _ in 0..<500 where kill(pid, 0) == 0 {
                _ = waitpid(pid, nil, WNOHANG)
                usleep(10_000)
            }
        }
        FileTree.remove(doomed)
    }

    /// Carries out one statement outside a transaction.
    static func execute(_ sql: String, at url: String) async throws {
        let threads = try WorkerThreads("test-admin", threads: 1, limit: 1) {
            Session(url: url, configuration: DatabaseConfiguration(), counts: ConnectionCounts(), logger: logger)
        }
        let result = await Result.catching {
            try await threads.run { session in
                Result { () throws(DatabaseError) in
                    try session.connect(until: .now.advanced(by: .seconds(10)))
                    _ = try session.script(sql)
                }
            }
        }
        await threads.stop()
        try result.get()
    }

    private static func named(_ database: String, _ url: String) -> String {
        guard let query = url.firstIndex(of: "?") else { return url }
        return "postgresql://aibackend@/\(database)\(url[query...])"
    }
}

extension Result where Failure == any Error {
    static func catching(_ body: () async throws -> Success) async -> Result {
        do { return .success(try await body()) } catch { return .failure(error) }
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Runs operations one after the other.
actor OneAtATime {
    private var last: Task<Void, Never>?

    func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
        let before = last
        let task = Task {
            await before?.value
            try await body()
        }
        last = Task { _ = await task.result }
        try await task.value
    }
}
