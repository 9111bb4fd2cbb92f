import Domain
import Foundation
import Logging
import Outbound
import Testing

@testable import App

/// The real program, `aibackend serve`, as a child of the test.
final class HostProcess: Sendable {
    let client: APIClient
    let output: String
    /// The sandbox's address where it was started with `--sandbox`.
    let sandbox: String?
    private let process: Process
    private let complaints: String

    /// Starts it and waits until it has told its address.
    init(
        _ arguments: [String], dataDirectory: String, environment: [String: String] = [:], transport: HTTPClient
    ) throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: Program.path)
        process.arguments = ["serve", "--port", "0", "--data-dir", dataDirectory] + arguments
        process.environment = Program.environment.merging(environment) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        // Into a file: a child that outlives a failed test must not hold the runner's own output open.
        complaints = dataDirectory + ".stderr"
        try "".write(toFile: complaints, atomically: false, encoding: .utf8)
        process.standardError = FileHandle(forWritingAtPath: complaints)
        try process.run()
        var text = ""
        // The summary ends with its last line; the pipe closes if the program ends instead.
        while !text.contains("templates  ") || text.last != "\n" {
            let piece = pipe.fileHandleForReading.availableData
            if piece.isEmpty { break }
            text += String(decoding: piece, as: UTF8.self)
        }
        output = text
        func address(after label: String) -> String? {
            text.split(separator: "\n").first { $0.contains(label) }?
                .split(separator: " ").first { $0.hasPrefix("http://") }.map(String.init)
        }
        let words = (try? String(contentsOfFile: complaints, encoding: .utf8)) ?? ""
        let base = try #require(address(after: "  api "), "the program did not come up: \(text)\(words)")
        sandbox = address(after: "  sandbox ")
        client = APIClient(transport: transport, base: base)
    }

    /// A test that failed before it stopped its host leaves none behind.
    deinit { if process.isRunning { Glibc.kill(process.processIdentifier, SIGKILL) } }

    /// `kill -9`, and waits until it is gone.
    func kill() {
        Glibc.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// What it has logged since it was started.
    var log: String { (try? String(contentsOfFile: complaints, encoding: .utf8)) ?? "" }

    /// SIGSTOP: it stands still where it is, with everything open.
    func pause() { Glibc.kill(process.processIdentifier, SIGSTOP) }

    /// SIGCONT.
    func goOn() { Glibc.kill(process.processIdentifier, SIGCONT) }

    /// SIGTERM; answers the exit status.
    func stop() -> Int32 {
        process.terminate()
        process.waitUntilExit()
        return process.terminationStatus
    }
}

/// The program under test and what it needs.
enum Program {
    static let path: String = {
        // Beside the test bundle in the build folder.
        let bundle = ProcessInfo.processInfo.arguments[0]
        let folder = bundle.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        for candidate in [folder, folder + "/..", FileManager.default.currentDirectoryPath + "/.build/debug"]
        where FileManager.default.isExecutableFile(atPath: candidate + "/aibackend") {
            return candidate + "/aibackend"
        }
        return FileManager.default.currentDirectoryPath + "/.build/debug/aibackend"
    }()

    static var environment: [String: String] {
        ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": "/nonexistent"]
    }

    /// A new folder that a database server under another user can reach; removed by `scripts/test`, or by the caller.
    static func folder(_ name: String) throws -> String {
        let base = ProcessInfo.processInfo.environment["AIBACKEND_TEST_DIR"] ?? "/tmp"
        let path = "\(base)/\(name)-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    /// Runs a command to its end.
    static func run(
        _ arguments: [String], environment: [String: String] = [:], in folder: String? = nil
    ) throws -> (status: Int32, output: String, error: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = Program.environment.merging(environment) { $1 }
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        let (output, error) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = error
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaint = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text, complaint)
    }
}

extension APIClient {
    static func transport() -> HTTPClient {
        HTTPClient(logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// The same client with the key of a new account.
    func registered(_ email: String = "client@example.com") async throws -> APIClient {
        let answer = try await post("/v1/auth/register", ["email": .string(email), "password": "correct horse"])
        #expect(answer.status == 201)
        var client = self
        client.key = try #require(answer.body["api_key"]?.stringValue)
        return client
    }

    /// Follows the execution's log to its end.
    func ended(_ id: String) async throws -> JSON {
        while true {
            let execution = try await get("/v1/executions/\(id)").body
            if ["completed", "failed", "cancelled"].contains(execution["status"]?.stringValue) { return execution }
            for try await event in EventStream(client: self, path: "/v1/executions/\(id)/logs?stream=true")
            where event.name == "end" { break }
        }
    }
}
