import Files
import Glibc
import Testing

@testable import Sandbox

@Suite struct ApplicationStartTests {
    private func find(
        _ files: [String: String], command: String? = nil
    ) throws -> (start: ApplicationStart, log: String) {
        let directory = try ApplicationHarness.temporaryDirectory()
        defer { FileTree.remove(directory) }
        for (name, content) in files {
            let file = try unsafe #require(fopen("\(directory)/\(name)", "w"))
            unsafe fputs(content, file)
            unsafe fclose(file)
        }
        var log = ""
        let start = try ApplicationStart.find(in: directory, command: command, port: 7_000) { log += $0 }
        return (start, log)
    }

    @Test func `What the deployer says comes first, then what the files say`() throws {
        let files = [
            "Procfile": "worker: no\nweb:  python3 web.py --port $PORT\n", "main.py": "", "index.html": "",
        ]
        #expect(try find(files, command: "run me").start.arguments == ["/bin/sh", "-c", "run me"])
        #expect(try find(files, command: " ").start.arguments == ["/bin/sh", "-c", "python3 web.py --port $PORT"])
        let several = try find(["app.py": "", "server.py": "", "index.html": ""])
        #expect(several.start.arguments == ["/usr/bin/python3", "app.py"])
        #expect(try find(["server.py": ""]).start.arguments == ["/usr/bin/python3", "server.py"])
        #expect(
            try find(["index.html": ""]).start.arguments
                == ["/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", "7000"])
    }

    @Test func `A start script runs where there is node, and is told of where there is none`() throws {
        let (start, log) = try find(["package.json": #"{"scripts": {"start": "node ."}}"#, "main.py": ""])
        if unsafe access("/usr/bin/node", X_OK) == 0 || access("/usr/local/bin/node", X_OK) == 0 {
            #expect(start.arguments.last?.hasSuffix("; node .") == true)
        } else {
            #expect(start.arguments == ["/usr/bin/python3", "main.py"] && log.contains("node is not installed"))
        }
    }

    @Test(arguments: ["", "{", "{}", "[]", #"{"scripts": {"start": 7}}"#, #"{"scripts": {"start": ""}}"#])
    func `A package that says nothing of its start is passed over`(package: String) throws {
        #expect(try find(["package.json": package, "main.py": ""]).start.arguments.last == "main.py")
    }

    @Test func `Nothing to start is told with what was looked for`() throws {
        let error = #expect(throws: ApplicationFailure.self) { try find(["Procfile": "release: x", "notes.txt": ""]) }
        #expect(error?.phase == .build)
        for name in ["start command", "Procfile", "package.json", "main.py", "app.py", "server.py", "index.html"] {
            #expect(error?.message.contains(name) == true)
        }
    }

    @Test func `Packages are said to be the system's`() throws {
        #expect(try find(["requirements.txt": "flask", "main.py": ""]).log.contains("nothing is installed"))
    }

    @Test func `Of an environment's URLs the local databases' ports are found`() throws {
        func port(_ url: String) -> Int? { DatabaseURL(url).flatMap { $0.isLocal ? $0.port : nil } }
        #expect(port("postgresql://u:p@127.0.0.1:6000/x?y=z") == 6_000)
        #expect(port("postgres://u:p@localhost/x") == 5_432)
        #expect(port("postgresql://u:p@[::1]:6001/x") == 6_001)
        for url in [
            "postgresql://u:p@db.example:6000/x", "http://127.0.0.1:80", "postgresql://u@127.0.0.1:0/x",
            "postgresql://u@127.0.0.1:70000/x", "postgresql://127.0.0.1,127.0.0.1:9/x", "postgresql://u@127.0.0.1:x/x",
        ] { #expect(port(url) == nil, "\(url)") }
        #expect(DatabaseURL("postgresql://u:se@cret@127.0.0.1/x")?.password == "se@cret")
    }

    @Test func `Lines are cut where they end, and where they are too long`() {
        var lines = OutputLines()
        #expect(lines.append(Array("one\r\ntw".utf8)) == ["one"])
        #expect(lines.append(Array("o\n\n\u{1B}[31mred\tx".utf8)) == ["two", ""])
        #expect(lines.finish() == "\u{FFFD}[31mred\tx")
        #expect(lines.finish() == nil)
        let long = lines.append(Array(repeating: UInt8(ascii: "x"), count: 100_000) + [10])
        #expect(long.first?.utf8.count == 4_099 && long.first?.hasSuffix("x…") == true)
        #expect(lines.append([0xFF, 10]) == ["\u{FFFD}"])
    }
}
