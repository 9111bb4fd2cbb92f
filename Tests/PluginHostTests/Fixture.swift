import Domain
import Glibc
import Logging
import Synchronization
import Testing
import Threads

@testable import PluginHost

/// Builds and finds the libraries the tests load.
enum Fixture {
    private static let folder = String(#filePath.dropLast("Fixture.swift".count))
    /// The sources of the plugins that authors start from.
    static let examples = folder + "../../examples/plugins/"
    static let header = folder + "../../Sources/PluginABI/include"

    /// Where the build has put this program and the plugin in Swift.
    private static let products: String = {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(decoding: buffer[..<max(count, 0)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)])
    }()

    /// The files of one run of the tests; those of the run before are removed.
    private static let files: String = {
        let folder = products + "/plugin-fixtures"
        _ = spawn(["/usr/bin/env", "rm", "-rf", folder])
        unsafe mkdir(folder, 0o700)
        return folder
    }()

    private static let folders = Atomic(0)

    /// A folder of its own for one test's files.
    static func temporaryFolder() -> String {
        let folder = files + "/\(folders.add(1, ordering: .relaxed).newValue)"
        unsafe mkdir(folder, 0o700)
        return folder
    }

    /// For plugins in C; `scripts/sanitize` sets one that instruments what it compiles.
    private static let compiler: [String] = {
        guard let words = unsafe getenv("AIBACKEND_TEST_CC") else { return ["gcc"] }
        return unsafe String(cString: words).split(separator: " ").map(String.init)
    }()

    static func c(_ source: String, rule: HostileRule = .none) async throws -> String {
        let library = temporaryFolder() + "/\(source).so"
        let folder = source == "hostile" ? folder + "Fixtures/" : examples
        try await run(
            ["/usr/bin/env"] + compiler + [
                "-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread", "-I", header,
                "-DRULE=\(rule.rawValue)", folder + source + ".c", "-o", library,
            ])
        return library
    }

    static func rust(_ source: String) async throws -> String {
        let library = temporaryFolder() + "/\(source).so"
        try await run([
            "/usr/bin/env", "rustc", "--edition", "2021", "--crate-type", "cdylib", "-O", examples + source + ".rs",
            "-o", library,
        ])
        return library
    }

    /// The plugin in Swift, which the package builds beside the tests.
    static func swift() throws -> String {
        let library = products + "/libFixturePlugin.so"
        try #require(unsafe access(library, R_OK) == 0, "\(library) is not built")
        return library
    }

    struct Unusable: Error { let path: String }

    static func write(_ bytes: [UInt8], to path: String) throws {
        guard let file = unsafe fopen(path, "w") else { throw Unusable(path: path) }
        defer { unsafe fclose(file) }
        try #require(unsafe fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }

    static func read(_ path: String) throws -> [UInt8] {
        guard let file = unsafe fopen(path, "r") else { throw Unusable(path: path) }
        defer { unsafe fclose(file) }
        return unsafe [UInt8](unsafeUninitializedCapacity: 1 << 24) { buffer, count in
            count = unsafe fread(buffer.baseAddress, 1, 1 << 24, file)
        }
    }

    /// Runs a compiler, off the cooperative pool.
    private static func run(_ arguments: [String]) async throws {
        let status: Int32 = await withCheckedContinuation { continuation in
            do throws(OwnedThread.Unavailable) {
                try OwnedThread.startDetached(name: "compiler") { continuation.resume(returning: spawn(arguments)) }
            } catch {
                continuation.resume(returning: -1)
            }
        }
        try #require(status == 0, "\(arguments.joined(separator: " "))")
    }

    private static func spawn(_ arguments: [String]) -> Int32 {
        var words = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        var child = pid_t()
        let code = unsafe posix_spawn(&child, arguments[0], nil, nil, &words, environ)
        guard code == 0 else { return code }
        var status: Int32 = -1
        while unsafe waitpid(child, &status, 0) < 0, errno == EINTR {}
        return status
    }
}

/// The rules that Fixtures/hostile.c breaks, numbered as there.
enum HostileRule: Int, CaseIterable, Sendable {
    case none, noSymbol, wrongMagic, wrongMajor, wrongMinor, highMinimum, smallEntry, nullManifest, badManifest,
        otherABIInManifest, noInterface, smallTable, noStartFunction, nullEntry, refusesCreate, completesTwice,
        completesLate, neverCompletes, floods, unknownKind, spinsInStart, refusesStart, badResult, leaksSecret,
        unknownIDs, refusesAfterCompletion, hugeChunk, ungranted, splitsText, badLog, misalignedEntry,
        misalignedTable, hugeManifest, missingBytes, noGetInterface, noFunctions, hugeSizes
}

/// Log lines, kept for a test to look at.
final class LogKeeper: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }

    var logger: Logger {
        Logger(label: "test") { _ in Handler(keeper: self) }
    }

    private struct Handler: LogHandler {
        let keeper: LogKeeper
        var logLevel = Logger.Level.debug
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let metadata = self.metadata.merging(event.metadata ?? [:]) { $1 }
            let words = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
            keeper.lines.withLock { $0.append("\(event.level) \(event.message)\(words)") }
        }
    }
}

extension PluginRegistry {
    /// A registry with short patience, so that a test of a hanging plugin is quick.
    static func test(
        transport: any HTTPTransport = FakeTransport(), blobs: any BlobStore = MemoryBlobs(),
        log: LogKeeper = LogKeeper(), grace: Duration = .milliseconds(50), patience: Duration = .seconds(20)
    ) -> PluginRegistry {
        PluginRegistry(
            transport: transport, blobs: blobs, clock: SystemWallClock(), logger: log.logger, grace: grace,
            patience: patience)
    }

    var callsInFlight: Int {
        state.withLock { $0.plugins.values.compactMap(\.instance) }.map(\.callsInFlight).reduce(0, +)
    }

    func refusal(of path: String, _ settings: PluginSettings = PluginSettings()) async -> PluginRefusal? {
        do throws(PluginRefusal) {
            try await load(path) { _ in settings }
            return nil
        } catch {
            return error
        }
    }

    func call(
        _ key: RouteKey, _ input: JSON, within time: Duration = .seconds(30), secrets: [String: String] = [:],
        onChunk: @Sendable (CallChunk) async -> Void = { _ in }
    ) async throws -> JSON {
        let now = SystemWallClock().now()
        return try await invoke(
            Invocation(
                route: try #require(route(for: key)), callID: UUIDv7(at: now), input: input, tenant: "tenant-1",
                attempt: 2, idempotencyKey: "key-1", deadline: now.advanced(by: time),
                secrets: secrets),
            onChunk: onChunk)
    }

    func error(
        _ key: RouteKey, _ input: JSON = [:], within time: Duration = .seconds(30), secrets: [String: String] = [:],
        onChunk: @Sendable (CallChunk) async -> Void = { _ in }
    ) async throws -> ProviderError? {
        do {
            _ = try await call(key, input, within: time, secrets: secrets, onChunk: onChunk)
            return nil
        } catch let error as ProviderError {
            return error
        }
    }
}

/// Chunks, kept for a test to look at.
final class ChunkKeeper: Sendable {
    struct Line: Equatable {
        let stream: LogStream
        let message: String
    }

    private let state = Mutex<(text: String, usage: TokenUsage?, largest: Int, lines: [Line])>(("", nil, 0, []))
    var text: String { state.withLock { $0.text } }
    var usage: TokenUsage? { state.withLock { $0.usage } }
    var lines: [Line] { state.withLock { $0.lines } }
    /// Bytes of the longest piece of text.
    var largest: Int { state.withLock { $0.largest } }

    func keep(_ chunk: CallChunk) {
        state.withLock { state in
            switch chunk {
            case .text(let text):
                state.text += text
                state.largest = max(state.largest, text.utf8.count)
            case .usage(let usage): state.usage = usage
            case .log(let stream, let message): state.lines.append(Line(stream: stream, message: message))
            }
        }
    }
}

/// Blobs in memory, under a digest that need only look like one.
final class MemoryBlobs: BlobStore {
    private let blobs = Mutex<[String: [UInt8]]>([:])

    func put(_ bytes: [UInt8]) async throws -> String {
        blobs.withLock { blobs in
            let digits = String(blobs.count, radix: 16)
            let digest = String(repeating: "a", count: 64 - digits.count) + digits
            blobs[digest] = bytes
            return digest
        }
    }

    func get(_ digest: String) async throws -> [UInt8]? { blobs.withLock { $0[digest] } }
}

/// A store that does not answer before it is released.
final class HangingBlobs: BlobStore {
    private let gate = Latch()
    private let questions = Atomic(0)

    var asked: Int { questions.load(ordering: .relaxed) }
    func release() { gate.open() }

    func put(_ bytes: [UInt8]) async throws -> String {
        questions.add(1, ordering: .relaxed)
        await gate.wait()
        return String(repeating: "a", count: 64)
    }

    func get(_ digest: String) async throws -> [UInt8]? {
        await gate.wait()
        return nil
    }
}
