import Domain
import Files
import Glibc
import Synchronization
import Testing

@testable import Sandbox

/// Nothing outlives the host, and databases come from the port they are given.
@Suite struct ApplicationOrphanTests {
    /// A process that starts the runner like a host does, and is killed.
    @Test(
        .enabled("this system gives no namespace of processes") { try await ApplicationHarness.isolates }
    ) func `An application and all it started are gone when the host is killed`() async throws {
        let directory = try ApplicationHarness.temporaryDirectory()
        defer { FileTree.remove(directory) }
        let port = try LoopbackListener.freePort()
        let uid: uid_t = geteuid() == 0 ? 79_999 : geteuid()
        #expect(unsafe chown(directory, uid, uid == geteuid() ? getegid() : uid) == 0)
        // It detaches a process that listens, in a session of its own.
        let application = """
            import os, socket, time
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    s = socket.socket(); s.bind(('127.0.0.1', \(port))); s.listen()
                    print('detached', flush=True)
                    while True: s.accept()[0].close()
                os._exit(0)
            time.sleep(600)
            """
        let host = """
            "$1" --uid \(uid) --gid \(uid == geteuid() ? getegid() : uid) --parent $$ --workdir \(directory) \
            --data \(directory) --bind \(port) -- /usr/bin/python3 -c "$2" < /dev/null & wait
            """
        let log = ApplicationLog()
        let process = try await ApplicationProcess.start(
            ["/bin/sh", "-c", host, "host", try ApplicationHarness.runner, application], environment: []
        ) { log.add($0, $1) }
        await log.wait(for: "detached")
        #expect(ApplicationProbe(port: port).look() == .listening)
        process.signal(SIGKILL)
        await process.ended()
        let deadline = ContinuousClock.now.advanced(by: .seconds(20))
        while ApplicationProbe(port: port).look() != .silent, .now < deadline { await Task.yield() }
        #expect(ApplicationProbe(port: port).look() == .silent, "\(log.text)")
    }

    @Test func `What another host left is removed, and a directory serves one host`() async throws {
        try await ApplicationHarness.run { harness in
            #expect(unsafe mkdir(harness.directory + "/applications", 0o711) == 0)
            #expect(unsafe mkdir(harness.directory + "/applications/left-over", 0o700) == 0)
            _ = try await harness.start(["./index.html": "x"])
            #expect(FileTree.names(in: harness.directory + "/applications").sorted() == ["a1", "lock"])
            let other = ApplicationDirectory(harness.directory + "/applications")
            let error = #expect(throws: ApplicationFailure.self) {
                try other.make("b1", for: ApplicationUser(uid: geteuid(), gid: getegid()))
            }
            #expect(error?.message.contains("another process") == true)
        }
    }

    private final class Databases: PlatformDatabases {
        let calls = Mutex<[String]>([])

        func create(_ name: String) async throws(ApplicationDatabaseError) -> String { "" }
        func exists(_ name: String) async throws(ApplicationDatabaseError) -> Bool { false }
        func create(_ name: String, password: String) async throws(ApplicationDatabaseError) {
            if name == "bad" { throw ApplicationDatabaseError("the server is full", isRetryable: true) }
            calls.withLock { $0.append("create \(name) \(password)") }
        }
        func drop(_ name: String) async throws(ApplicationDatabaseError) {
            if name == "bad" { throw ApplicationDatabaseError("the server is gone", isRetryable: true) }
            calls.withLock { $0.append("drop \(name)") }
        }
    }

    @Test func `Databases are made and dropped where they are kept`() async throws {
        let databases = Databases()
        try await ApplicationHarness.run(databases: databases) { harness in
            let made = try await harness.host.createDatabase("mine", password: "p@ss")
            #expect(
                made == PlatformDatabase(host: "127.0.0.1", port: 5_432, name: "mine", user: "mine", password: "p@ss"))
            await harness.host.dropDatabase("mine")
            await harness.host.dropDatabase("bad")
            #expect(databases.calls.withLock(\.self) == ["create mine p@ss", "drop mine"])
            let error = await #expect(throws: ApplicationFailure.self) {
                try await harness.host.createDatabase("bad", password: "x")
            }
            #expect(error == ApplicationFailure(.deploy, "the server is full"))
        }
        try await ApplicationHarness.run { harness in
            await #expect(throws: ApplicationFailure.self) { try await harness.host.createDatabase("x", password: "y") }
            await harness.host.dropDatabase("x")
        }
    }
}
