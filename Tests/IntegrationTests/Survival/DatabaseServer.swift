import Foundation
import Glibc
import Logging
import Testing

@testable import Persistence

/// A PostgreSQL of a test's own that hosts share by `DATABASE_URL`, and that can be frozen, killed and taken away.
final class DatabaseServer: @unchecked Sendable {
    let url: String
    private let directory: String
    /// Only the test's one task starts and stops the server: the reason for `@unchecked`.
    private var cluster: PrivateCluster?

    private init(directory: String, cluster: PrivateCluster) {
        self.directory = directory
        self.cluster = cluster
        url = cluster.connectionURL
    }

    static func start(in directory: String) async throws -> DatabaseServer {
        DatabaseServer(directory: directory, cluster: try await launch(directory))
    }

    /// A crash of the machine is none of these tests' matter: what was written outlives a killed server unsynced.
    private static func launch(_ directory: String) async throws(ClusterError) -> PrivateCluster {
        try await PrivateCluster.start(
            dataDirectory: directory, settings: ["fsync=off", "shared_buffers=16MB"],
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// Starts it again after `kill` or `stop`.
    func start() async throws {
        guard cluster == nil else { return }
        cluster = try await Self.launch(directory)
    }

    /// Shuts it down in an orderly way: sessions are ended, everything is written.
    func stop() async {
        await cluster?.stop()
        cluster = nil
    }

    /// `kill -9` of the postmaster. It stays away until it is started.
    func kill() async throws {
        Glibc.kill(try Self.postmaster(in: directory), SIGKILL)
        await stop()
    }

    /// Stops the postmaster and every backend where they are: whoever asks gets no answer, and no refusal either.
    func freeze() throws {
        let postmaster = try Self.postmaster(in: directory)
        for pid in [postmaster] + Self.children(of: postmaster) { Glibc.kill(pid, SIGSTOP) }
    }

    func thaw() throws {
        let postmaster = try Self.postmaster(in: directory)
        for pid in Self.children(of: postmaster) + [postmaster] { Glibc.kill(pid, SIGCONT) }
    }

    /// The server that serves the data directory below this one.
    static func postmaster(in directory: String) throws -> pid_t {
        let text = try String(contentsOfFile: directory + "/data/postmaster.pid", encoding: .utf8)
        return try #require(pid_t(text.prefix { $0.isNumber }))
    }

    private static func children(of parent: pid_t) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { pid in
            // "pid (name) state parent …", where the name may hold anything.
            let status = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
            let fields = status.split(separator: ")").last?.split(separator: " ") ?? []
            return fields.count > 1 && fields[1] == "\(parent)"
        }
    }
}
