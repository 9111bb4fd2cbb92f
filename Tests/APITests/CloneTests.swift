import Domain
import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import Repositories
import Synchronization
import Testing

@testable import API

/// Real git against a real server.
@Suite(.timeLimit(.minutes(2))) struct CloneTests {
    private static let id = UUIDv7(at: Timestamp(microseconds: 1_795_420_800_000_000))

    private final class Reader: SourceReader {
        let owner: UUIDv7
        let contributions = Mutex<[SourceContribution]>([])

        init(owner: UUIDv7) { self.owner = owner }

        func contributions(of execution: UUIDv7) async throws(LedgerError) -> [SourceContribution]? {
            contributions.withLock { $0 }
        }

        func contributions(of execution: UUIDv7, user: UUIDv7) async throws(LedgerError) -> [SourceContribution]? {
            execution == CloneTests.id && user == owner ? contributions.withLock { $0 } : nil
        }
    }

    private static func contribution(_ step: String, _ files: [(String, String)]) -> SourceContribution {
        SourceContribution(
            step: step, summary: "", files: files.map { SourceFile(path: $0.0, content: $0.1) },
            time: Timestamp(microseconds: 1_795_420_800_000_000))
    }

    /// Runs git, and answers its status and everything it wrote.
    private func git(
        _ arguments: String..., in directory: URL, tracesRequests: Bool = false
    ) async throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: try GitExecutable.find().path)
        process.arguments =
            [
                "-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false",
            ] + arguments
        process.currentDirectoryURL = directory
        process.environment = [
            "PATH": "/usr/bin:/bin", "HOME": directory.path, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C", "no_proxy": "*", "GIT_TRACE_CURL": tracesRequests ? "1" : "0",
        ]
        let log = directory.appending(path: "log-\(UUID())")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        let handle = try FileHandle(forWritingTo: log)
        (process.standardOutput, process.standardError) = (handle, handle)
        process.standardInput = FileHandle.nullDevice
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        process.terminationHandler = { _ in end.finish() }
        try process.run()
        for await _ in ended {}
        return (process.terminationStatus, try String(contentsOf: log, encoding: .utf8))
    }

    @Test func `a run's repository can be cloned and fetched from, and not pushed to`() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "aibackend-clone-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        var fixture = Fixture()
        let reader = Reader(owner: fixture.caller.userID)
        fixture.realSources = GitSourceService(
            repositories: try GitRepositories(
                directory: directory.appending(path: "repositories").path, git: .find(), logger: fixture.logs.logger),
            reader: reader)
        try await fixture.test(.live) { [fixture] client in
            let place = "127.0.0.1:\(try #require(client.port))/v1/executions/\(Self.id)/repository.git"
            let url = "http://x:\(fixture.callerKey)@\(place)"
            let empty = try await git("clone", "-q", url, "empty", in: directory)
            #expect(empty.status == 0)

            // More than a window, so that it comes in pieces.
            var random = SystemRandomNumberGenerator()
            let big = (0..<60_000).map { _ in String(random.next() as UInt64, radix: 36) }.joined(separator: "\n")
            reader.contributions.withLock { $0 = [Self.contribution("Plan", [("README.md", "one\n"), ("big", big)])] }
            let first = try await git("clone", "-q", url, "first", in: directory)
            #expect(first.status == 0, "\(first.output)")
            let copy = directory.appending(path: "first")
            #expect(try String(contentsOf: copy.appending(path: "README.md"), encoding: .utf8) == "one\n")
            #expect(try String(contentsOf: copy.appending(path: "big"), encoding: .utf8) == big)
            let header = try await git(
                "-c", "http.extraHeader=X-API-Key: \(fixture.callerKey)", "-c", "protocol.version=0", "clone", "-q",
                "http://\(place)", "second", in: directory)
            #expect(header.status == 0, "\(header.output)")

            // With so much of its own git packs its request.
            for number in 0..<80 {
                _ = try await git("commit", "-q", "--allow-empty", "-m", "own \(number)", in: copy)
            }
            reader.contributions.withLock { $0.append(Self.contribution("Build", [("app.js", "run\n")])) }
            let fetched = try await git("fetch", "-q", in: copy, tracesRequests: true)
            #expect(fetched.status == 0, "\(fetched.output)")
            #expect(fetched.output.lowercased().contains("content-encoding: gzip"))
            let log = try await git("log", "--format=%s", "origin/main", in: copy)
            #expect(log.output == "Build\nPlan\n")

            let push = try await git("push", url, "HEAD:main", in: copy)
            #expect(push.status != 0 && push.output.contains("nothing can be pushed to it"), "\(push.output)")
            for (address, words) in [
                ("http://\(place)", "could not read Username"),
                ("http://x:\(APICredentials.generate().key)@\(place)", "Authentication failed"),
            ] {
                let refused = try await git("clone", "-q", address, "no", in: directory)
                #expect(refused.status != 0 && refused.output.contains(words), "\(refused.output)")
            }
            reader.contributions.withLock { $0.append(Self.contribution("Clash", [("APP.js", "")])) }
            let clash = try await git("clone", "-q", url, "no", in: directory)
            #expect(clash.output.contains("(source_conflict)"), "\(clash.output)")
        }
        #expect(!fixture.logs.all.joined().contains(fixture.callerKey))
    }
}
