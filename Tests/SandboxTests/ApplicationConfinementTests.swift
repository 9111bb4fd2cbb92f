import Glibc
import Testing

@testable import Sandbox

/// What a deployed application cannot do.
@Suite struct ApplicationConfinementTests {
    @Test(
        .enabled("this kernel has no Landlock for files and TCP ports, or no namespaces") {
            try await ApplicationHarness.confines
        })
    func `An application has its own files, its port and its database's port, and nothing else`() async throws {
        let database = try LoopbackListener()
        let other = try LoopbackListener()
        let (databasePort, otherPort) = (database.port, other.port)
        try await ApplicationHarness.run { harness in
            let secret = harness.directory + "/secret"
            let file = try unsafe #require(fopen(secret, "w"))
            unsafe fputs("secret", file)
            unsafe fclose(file)
            #expect(unsafe chmod(harness.directory, 0o777) == 0)
            #expect(unsafe chmod(secret, 0o666) == 0)
            let running = try await harness.startPython(
                ApplicationClient.evaluator,
                environment: ["DATABASE_URL": "postgresql://me:secret@127.0.0.1:\(databasePort)/mine"])
            func ask(_ expression: String) async throws -> String {
                try await ApplicationClient.evaluate(expression, on: running.port)
            }
            #expect(try await ask("os.environ['DATABASE_URL']").contains(":\(databasePort)/mine"))
            #expect(try await ask("connect(\(databasePort))") == "connected")
            for own in ["'note.txt'", "os.environ['HOME'] + '/x'", "os.environ['TMPDIR'] + '/x'"] {
                #expect(try await ask("write(\(own))") == "written")
            }
            let free = try LoopbackListener.freePort()
            for forbidden in [
                "connect(\(otherPort))", "bind(\(free))", "bind(0)", "open('\(secret)').read()", "write('\(secret)')",
                "write('\(harness.directory)/new')", "write('/tmp/new')", "write('/etc/new')", "os.listdir('/')",
                "os.listdir('/proc')", "os.listdir('\(harness.directory)')", "open('/proc/1/cmdline').read()",
                "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "socket.socket(socket.AF_UNIX)",
                "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
                "socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)",
                "os.symlink('\(secret)', 'link') or open('link').read()",
            ] {
                let answer = try await ask(forbidden)
                #expect(answer.hasPrefix("PermissionError"), "\(forbidden): \(answer)")
            }
            #expect(
                try await ask("socket.socket().sendto(b'x', socket.MSG_FASTOPEN, ('127.0.0.1', \(otherPort)))")
                    .contains("not supported"))
            // Its processes are all it knows of; what it starts is confined as it is.
            #expect(try await ask("os.kill(\(getpid()), 0)").hasPrefix("ProcessLookupError"))
            let shell = try await ask("subprocess.run('cat \(secret)', shell=True, capture_output=True).stderr")
            #expect(shell.contains("Permission denied"))
        }
    }

    @Test func `An application finds its environment, and nothing of the host's`() async throws {
        #expect(unsafe setenv("AIB_TEST_OF_THE_HOST", "1", 1) == 0)
        try await ApplicationHarness.run { harness in
            let running = try await harness.startPython(
                ApplicationClient.evaluator, environment: ["GREETING": "ünï\n\"x\"", "HOME": "/root", "PORT": "1"])
            let names = try await ApplicationClient.evaluate("sorted(os.environ)", on: running.port)
            #expect(
                names.replacing("'LC_CTYPE', ", with: "")
                    == "['GREETING', 'HOME', 'LANG', 'PATH', 'PORT', 'PYTHONDONTWRITEBYTECODE', "
                    + "'PYTHONUNBUFFERED', 'TMPDIR']")
            #expect(try await ApplicationClient.evaluate("os.environ['GREETING']", on: running.port) == "ünï\n\"x\"")
            #expect(
                try await ApplicationClient.evaluate("os.environ['HOME']", on: running.port)
                    == harness.directory + "/applications/a1/home")
            // Three streams, its two sockets, and the directory it looks into.
            let descriptors = try await ApplicationClient.evaluate("len(os.listdir('/proc/self/fd'))", on: running.port)
            #expect(Int(descriptors).map { $0 <= 6 } == true, "\(descriptors)")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only a host that is root has users to give"))
    func `Each application has a user of its own`() async throws {
        try await ApplicationHarness.run { harness in
            let identity = "[os.getuid(), os.geteuid(), os.getgid(), os.getgroups()]"
            var seen: Set<String> = []
            for id in ["a1", "a2"] {
                let running = try await harness.startPython(ApplicationClient.evaluator, id: id)
                seen.insert(try await ApplicationClient.evaluate(identity, on: running.port))
                #expect(
                    try await ApplicationClient.evaluate("os.setuid(0)", on: running.port).hasPrefix("PermissionError"))
            }
            #expect(seen.count == 2 && seen.allSatisfy { $0.hasSuffix(", []]") && !$0.contains("[0") })
        }
    }

    @Test func `What an application may use up is bounded`() async throws {
        try await ApplicationHarness.run { harness in
            let running = try await harness.startPython(ApplicationClient.evaluator)
            func limit(_ name: String) async throws -> String {
                try await ApplicationClient.evaluate("resource.getrlimit(resource.RLIMIT_\(name))", on: running.port)
            }
            #expect(try await limit("CORE") == "(0, 0)")
            for name in ["NOFILE", "FSIZE", "DATA", "AS"] + (geteuid() == 0 ? ["NPROC"] : []) {
                let value = try await limit(name)
                #expect(value.hasPrefix("(") && !value.contains("-1"), "\(name): \(value)")
            }
            let memory = try await ApplicationClient.evaluate("len(bytearray(3 << 30))", on: running.port)
            #expect(memory.hasPrefix("MemoryError"), "\(memory)")
        }
    }

    @Test func `What would load into the runner is the application's alone`() async throws {
        try await ApplicationHarness.run { harness in
            let running = try await harness.startPython(
                ApplicationClient.evaluator, environment: ["LD_PRELOAD": "/nowhere/evil.so"])
            let value = try await ApplicationClient.evaluate("os.environ['LD_PRELOAD']", on: running.port)
            #expect(value == "/nowhere/evil.so")
            let complaints = harness.log.text.split(separator: "\n").filter { $0.contains("evil.so") }
            // The application's own dynamic linker says it once; the runner's would have before.
            #expect(complaints.count == 1, "\(harness.log.text)")
        }
    }

    @Test(arguments: [
        ([], "--uid and --gid"), (["--uid", "x"], "--uid"), (["--uid", "-1"], "--uid"), (["--uid"], "no value"),
        (["--what", "1"], "unknown option"), (["--workdir", "here"], "absolute"), (["--bind", "65536"], "--bind"),
        (["--uid", "1", "--gid", "1", "--parent", "1", "--workdir", "/", "--data", "/"], "command"),
        (["--uid", "1", "--gid", "1", "--parent", "1", "--workdir", "/", "--data", "/", "--"], "command"),
        (["--connect", "1"] + Array(repeating: ["--connect", "2"], count: 8).flatMap(\.self), "too many"),
    ])
    func `The runner refuses arguments it cannot mean`(arguments: [String], reason: String) async throws {
        let log = ApplicationLog()
        let process = try await ApplicationProcess.start(
            [try ApplicationHarness.runner] + arguments, environment: []
        ) { log.add($0, $1) }
        #expect(await process.ended() == 64)
        #expect(log.text.contains(reason) && log.text.contains("usage:"), "\(log.text)")
    }
}
