import Domain
import Files
import Glibc
import Testing

@testable import Persistence

/// Each test has a cluster of its own, apart from the one all others share.
@Suite struct PrivateClusterTests {
    private static let settings = ["fsync=off", "shared_buffers=16MB"]

    private static func start(_ directory: String) async throws(ClusterError) -> PrivateCluster {
        try await PrivateCluster.start(dataDirectory: directory, settings: settings, logger: TestServer.logger)
    }

    private static func postmaster(_ directory: String) throws -> pid_t {
        let text = try #require(FileSystem.text(directory + "/data/postmaster.pid"))
        return try #require(pid_t(text.prefix { $0.isNumber }))
    }

    private static func count(_ url: String) async throws -> Int64? {
        var configuration = TestDatabase.small
        configuration.connectionWait = .seconds(20)
        let database = try await Database.connect(url, configuration: configuration, logger: TestServer.logger)
        let rows = try await database.execute(Statement(nil, "SELECT count(*) FROM kept"), [])
        await database.close()
        return rows.integer(0, 0)
    }

    @Test func whatWasWrittenSurvivesStopsCrashesAndRestarts() async throws {
        let directory = try TestServer.temporaryDirectory()
        let cluster = try await Self.start(directory)
        try await TestServer.execute("CREATE TABLE kept (value integer)", at: cluster.connectionURL)
        try await TestServer.execute("INSERT INTO kept VALUES (1)", at: cluster.connectionURL)
        let first = try Self.postmaster(directory)

        // The server is killed under a living host: the host starts it again.
        kill(first, SIGKILL)
        #expect(try await Self.count(cluster.connectionURL) == 1)
        let second = try Self.postmaster(directory)
        #expect(second != first)

        // Another process of the same program finds it running and leaves it alone when it stops.
        let visitor = try await Self.start(directory)
        #expect(visitor.connectionURL == cluster.connectionURL)
        await visitor.stop()
        #expect(try Self.postmaster(directory) == second)

        await cluster.stop()
        await cluster.stop()
        #expect(FileSystem.status(directory + "/data/postmaster.pid") == nil)

        // A pid file that a crash left behind names a process that is not ours.
        let account = try ClusterAccount.current()
        try FileSystem.write(
            "\(getpid())\n\(directory)/data\n", to: directory + "/data/postmaster.pid", mode: 0o600, owner: account)
        let restarted = try await Self.start(directory)
        #expect(try await Self.count(restarted.connectionURL) == 1)
        await restarted.stop()
    }

    @Test func onlyTheHostsOwnUserComesInWithoutAPassword() async throws {
        let directory = try TestServer.temporaryDirectory()
        let cluster = try await Self.start(directory)
        let database = try await Database.connect(
            cluster.connectionURL, configuration: TestDatabase.small, logger: TestServer.logger)
        let rights = try await database.execute(
            Statement(
                nil,
                """
                SELECT rolname, rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user
                """), [])
        #expect(rights.text(0, 0) == "aibackend" && !rights.bool(0, 1) && !rights.bool(0, 2) && rights.bool(0, 3))
        let listening = try await database.execute(Statement(nil, "SHOW listen_addresses"), [])
        #expect(listening.text(0, 0) == "")
        await database.close()

        var impatient = TestDatabase.small
        impatient.connectionWait = .seconds(2)
        let other = cluster.connectionURL.replacing("aibackend@", with: "postgres@")
        let error = await #expect(throws: LedgerError.self) {
            try await Database.connect(other, configuration: impatient, logger: TestServer.logger)
        }
        #expect(error?.message.contains("password") == true, "\(error?.message ?? "none")")
        await cluster.stop()
    }

    @Test func aDirectoryOfAnotherVersionIsRefused() async throws {
        let directory = try TestServer.temporaryDirectory()
        let account = try ClusterAccount.current()
        try FileSystem.makeDirectories(directory + "/data", mode: 0o700)
        try FileSystem.write("12\n", to: directory + "/data/PG_VERSION", mode: 0o600, owner: account)
        let error = await #expect(throws: ClusterError.self) { try await Self.start(directory) }
        #expect(error?.code == .versionMismatch && error?.message.contains("PostgreSQL 12") == true)
    }

    @Test func somebodyElsesFilesAreLeftAlone() async throws {
        let directory = try TestServer.temporaryDirectory()
        try FileSystem.makeDirectories(directory + "/data/precious", mode: 0o700)
        let error = await #expect(throws: ClusterError.self) { try await Self.start(directory) }
        #expect(error?.code == .directory && error?.message.contains("/data") == true)
        #expect(FileSystem.status(directory + "/data/precious") != nil)
    }

    @Test(.enabled(if: geteuid() == 0, "only a host that is root runs the server as another user"))
    func aClosedParentIsNamedWithTheWayOut() async throws {
        let directory = try TestServer.temporaryDirectory()
        #expect(unsafe chmod(directory, 0o700) == 0)
        let error = await #expect(throws: ClusterError.self) { try await Self.start(directory + "/below") }
        #expect(error?.code == .directory && error?.message.contains("chmod o+x \(directory)") == true)
    }

    @Test func aLongPathKeepsItsSocketElsewhere() throws {
        let account = try ClusterAccount.current()
        let directory = try TestServer.temporaryDirectory() + "/" + String(repeating: "x", count: 100)
        let layout = try ClusterLayout(directory, account: account)
        let socket = layout.socketDirectory
        #expect((socket + "/.s.PGSQL.5432").utf8.count <= 107)
        #expect(try ClusterLayout(directory, account: account).socketDirectory == socket)
        FileTree.remove(socket)

        // Somebody else was there first.
        #expect(unsafe mkdir(socket, 0o777) == 0)
        #expect(unsafe chmod(socket, 0o777) == 0)
        #expect(throws: ClusterError.self) { try ClusterLayout(directory, account: account) }
        FileTree.remove(socket)
    }
}
