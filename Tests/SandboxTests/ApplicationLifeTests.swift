import Domain
import Files
import Glibc
import Synchronization
import Testing

@testable import Sandbox

/// How an application comes up and ends.
@Suite struct ApplicationLifeTests {
    @Test(
        .enabled("this system gives no namespace of processes") { try await ApplicationHarness.isolates }
    ) func `An application is started, answers, and is gone after it was stopped`() async throws {
        try await ApplicationHarness.run { harness in
            let source = """
                import signal, sys
                signal.signal(signal.SIGTERM, lambda *a: (print('asked to end'), sys.exit(0)))

                """
            let running = try await harness.startPython(source + ApplicationClient.evaluator, path: "/1")
            #expect(try await ApplicationClient.evaluate("6 * 7", on: running.port) == "42")
            // What it leaves behind, here with its socket, ends with it.
            let started = try await ApplicationClient.evaluate(
                "subprocess.Popen(['sleep', '600'], start_new_session=True, pass_fds=[server.fileno()]).pid",
                on: running.port)
            #expect(Int(started) != nil, "\(started)")
            await harness.host.stop("a1")
            await harness.host.stop("a1")
            #expect(ApplicationProbe(port: running.port).look() == .silent)
            #expect(FileTree.names(in: harness.directory + "/applications") == ["lock"])
            #expect(harness.log.text.contains("standardOutput: asked to end"))
            #expect(harness.log.text.contains("build: unpacked 1 file\n"))
            var exits: [ApplicationExit] = []
            for await exit in running.exits { exits.append(exit) }
            #expect(exits.isEmpty)
        }
    }

    @Test func `An application that does not end when asked is ended`() async throws {
        // The clock lets no time pass: the application is given none.
        try await ApplicationHarness.run(clock: ApplicationClock()) { harness in
            let source = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + ApplicationClient.evaluator
            let running = try await harness.startPython(source, timeout: .seconds(1_000_000))
            async let first: Void = harness.host.stop("a1")
            async let second: Void = harness.host.stop("a1")
            _ = await (first, second)
            #expect(ApplicationProbe(port: running.port).look() == .silent)
        }
    }

    @Test func `A crash is noticed, and the application can still be stopped`() async throws {
        try await ApplicationHarness.run { harness in
            let running = try await harness.startPython(ApplicationClient.evaluator)
            _ = try await ApplicationClient.evaluate("os._exit(3)", on: running.port)
            var exits: [ApplicationExit] = []
            for await exit in running.exits { exits.append(exit) }
            #expect(exits == [ApplicationExit(status: 3)])
            await harness.host.stop("a1")
            let again = try await harness.startPython(ApplicationClient.evaluator)
            _ = try await ApplicationClient.evaluate("os.kill(os.getpid(), 9)", on: again.port)
            exits = []
            for await exit in again.exits { exits.append(exit) }
            #expect(exits == [ApplicationExit(status: 137)])
        }
    }

    @Test func `An application that never listens fails with its last lines, without its secrets`() async throws {
        let heard = Mutex<ApplicationLog?>(nil)
        let clock = ApplicationClock { await heard.withLock(\.self)?.wait(for: "waits for nothing") }
        try await ApplicationHarness.run(clock: clock) { harness in
            heard.withLock { $0 = harness.log }
            let error = await #expect(throws: ApplicationFailure.self) {
                try await harness.startPython(
                    "import os, time\nprint(os.environ['DATABASE_URL'])\nprint('waits for nothing')\ntime.sleep(600)",
                    environment: ["DATABASE_URL": "postgresql://u:hush-hush@127.0.0.1:1/x"])
            }
            #expect(error?.phase == .deploy)
            #expect(error?.message.contains("did not listen on port") == true)
            #expect(error?.message.hasSuffix("waits for nothing") == true, "\(error?.message ?? "none")")
            #expect(error?.message.contains("hush-hush") == false)
            #expect(FileTree.names(in: harness.directory + "/applications") == ["lock"])
        }
    }

    @Test func `An application that ends before it listens fails with its status and last lines`() async throws {
        try await ApplicationHarness.run { harness in
            let error = await #expect(throws: ApplicationFailure.self) {
                try await harness.startPython("import nothing_of_the_kind")
            }
            #expect(error?.phase == .deploy && error?.message.contains("status 1") == true)
            #expect(error?.message.contains("No module named 'nothing_of_the_kind'") == true)
            let missing = await #expect(throws: ApplicationFailure.self) {
                try await harness.start(["./a": ""], command: "no-such-program --at-all")
            }
            #expect(missing?.message.contains("status 127") == true, "\(missing?.message ?? "none")")
        }
    }

    @Test func `An application that is not healthy fails with its answer`() async throws {
        let heard = Mutex<ApplicationLog?>(nil)
        let clock = ApplicationClock { await heard.withLock(\.self)?.wait(for: "asked") }
        try await ApplicationHarness.run(clock: clock) { harness in
            heard.withLock { $0 = harness.log }
            let error = await #expect(throws: ApplicationFailure.self) {
                try await harness.startPython(
                    """
                    import http.server, os
                    class Handler(http.server.BaseHTTPRequestHandler):
                        def do_GET(self):
                            self.send_error(503)
                            print('asked', flush=True)
                    server = http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Handler)
                    print('asked once it listens', flush=True)
                    server.serve_forever()
                    """, path: "/health", timeout: .seconds(1))
            }
            #expect(error?.message.contains("it answered /health with 503") == true, "\(error?.message ?? "none")")
        }
    }

    @Test func `A deployment that is cancelled leaves nothing`() async throws {
        try await ApplicationHarness.run { harness in
            let port = try LoopbackListener.freePort()
            let task = Task {
                try await harness.startPython("print('here', flush=True)\nimport time\ntime.sleep(600)", port: port)
            }
            await harness.log.wait(for: "here")
            task.cancel()
            let error = await #expect(throws: ApplicationFailure.self) { try await task.value }
            #expect(error?.message.contains("cancelled") == true)
            #expect(FileTree.names(in: harness.directory + "/applications") == ["lock"])
        }
    }

    @Test func `A successor takes the port once it is built, and not when its build fails`() async throws {
        try await ApplicationHarness.run { harness in
            let port = try LoopbackListener.freePort()
            _ = try await harness.startPython(
                ApplicationClient.evaluator, id: "a1", environment: ["NAME": "first"], port: port)
            await #expect(throws: ApplicationFailure.self) {
                try await harness.start(["./notes.txt": ""], id: "a2", port: port, replaces: "a1")
            }
            #expect(try await ApplicationClient.evaluate("os.environ['NAME']", on: port) == "first")
            let taken = await #expect(throws: ApplicationFailure.self) {
                try await harness.startPython(ApplicationClient.evaluator, id: "a3", port: port)
            }
            #expect(taken?.message.contains("port \(port) is taken") == true)
            _ = try await harness.startPython(
                ApplicationClient.evaluator, id: "a4", environment: ["NAME": "second"], port: port, replaces: "a1")
            #expect(try await ApplicationClient.evaluate("os.environ['NAME']", on: port) == "second")
        }
    }

    @Test func `Static files are served as they are`() async throws {
        try await ApplicationHarness.run { harness in
            let running = try await harness.start(["./index.html": "<h1>hello</h1>"], path: "/")
            #expect(try await ApplicationClient.get("/", on: running.port) == "<h1>hello</h1>")
        }
    }

    @Test(
        arguments: [
            ("../a", [:], nil), ("A1", [:], nil), ("", [:], nil), ("a1", ["": "x"], nil), ("a1", ["A=B": "x"], nil),
            ("a1", ["A": "x\u{0}y"], nil), ("a1", ["A": String(repeating: "x", count: 1 << 20)], nil),
            ("a1", [:], "no-slash"), ("a1", [:], "/a b"), ("a1", [:], "/x\r\nHost: y"),
        ] as [(String, [String: String], String?)])
    func `What cannot be is refused before anything starts`(
        id: String, environment: [String: String], path: String?
    ) async throws {
        try await ApplicationHarness.run { harness in
            let error = await #expect(throws: ApplicationFailure.self) {
                try await harness.startPython(ApplicationClient.evaluator, id: id, environment: environment, path: path)
            }
            #expect(error?.message.contains("xxxx") == false)
            #expect(!harness.log.text.contains("evaluator starts"))
            #expect(FileTree.names(in: harness.directory + "/applications").filter { $0 != "lock" } == [])
        }
    }

    @Test func `A missing runner is named`() async throws {
        try await ApplicationHarness.run(runner: "/nowhere/runner") { harness in
            let error = await #expect(throws: ApplicationFailure.self) { try await harness.startPython("") }
            #expect(error?.phase == .build && error?.message.contains("/nowhere/runner") == true)
        }
    }
}
