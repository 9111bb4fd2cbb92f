import Domain
import Files
import Glibc
import Logging
import Processes
import Synchronization

@testable import Repositories

/// Repositories in a folder of their own, over contributions that the test sets.
struct Workshop {
    let directory: String
    let git: GitExecutable
    let reader = FakeSourceReader()
    let blobs = FakeBlobs()
    let repositories: GitRepositories
    let execution = UUIDv7(at: Timestamp(microseconds: 1_795_420_800_000_000))
    let user = UUIDv7(at: Timestamp(microseconds: 1_795_420_800_000_000))

    init(
        git: GitExecutable? = nil, directory: String? = nil,
        configuration: GitRepositories.Configuration = GitRepositories.Configuration()
    ) throws {
        self.git = try git ?? .find()
        self.directory = directory ?? Self.temporaryDirectory()
        repositories = try GitRepositories(
            directory: self.directory + "/repositories", git: self.git, configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        reader.set([], of: execution, user: user)
    }

    func write(_ contributions: [SourceContribution]) { reader.set(contributions, of: execution, user: user) }

    var archives: GitSourceArchives { GitSourceArchives(repositories: repositories, reader: reader, blobs: blobs) }
    var service: GitSourceService { GitSourceService(repositories: repositories, reader: reader) }

    func repository() async throws -> Repository {
        let contributions = try await reader.contributions(of: execution) ?? []
        return try await repositories.repository(of: execution, SourceHistory(contributions))
    }

    /// What a git says in a repository.
    func git(_ arguments: String..., in repository: Repository) async throws -> String {
        let process = try await repositories.start(Self.command(arguments, in: repository.path), in: repository)
        return String(decoding: try await process.collect(limit: 1_000_000), as: UTF8.self)
    }

    /// The names in the execution's folder.
    var names: [String] { FileTree.names(in: "\(directory)/repositories/\(execution)").sorted() }

    static func command(
        _ arguments: [String], in directory: String, input: [UInt8] = [], timeout: Duration = .seconds(60),
        patience: Duration = .seconds(60)
    ) -> GitCommand {
        GitCommand(arguments, in: directory, input: input, timeout: timeout, patience: patience)
    }

    /// The members of a gzipped tar, or one's content.
    static func unpack(_ archive: [UInt8], _ arguments: [String]) async throws -> String {
        let tar = GitExecutable(path: "/bin/tar")
        let process = try GitProcess(
            command(arguments, in: "/tmp", input: archive), with: tar, home: "/tmp", holding: [])
        return String(decoding: try await process.collect(limit: 10_000_000), as: UTF8.self)
    }

    /// What is in a file.
    static func text(_ path: String) async throws -> String {
        let cat = GitExecutable(path: "/bin/cat")
        let process = try GitProcess(command([path], in: "/tmp"), with: cat, home: "/tmp", holding: [])
        return String(decoding: try await process.collect(limit: 10_000), as: UTF8.self)
    }

    static func temporaryDirectory() -> String {
        let path = "\(temporaryRoot)/\(UUIDv7(at: SystemWallClock().now()))"
        guard unsafe mkdir(path, 0o700) == 0 else { fatalError("mkdir") }
        return path
    }

    /// A program that plays git.
    static func script(_ text: String) throws -> GitExecutable {
        let path = temporaryDirectory() + "/git"
        let file = Descriptor(unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o700))
        _ = file.write(Array("#!/bin/sh\n\(text)\n".utf8), from: 0)
        return GitExecutable(path: path)
    }
}

/// Holds every test's folder; goes with the process.
private let temporaryRoot: String = {
    var template = Array("/tmp/aibackend-repositories-XXXXXX".utf8CString)
    let path = unsafe template.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress, let path = unsafe mkdtemp(base) else { fatalError("mkdtemp") }
        return unsafe String(cString: path)
    }
    atexit { FileTree.remove(temporaryRoot) }
    return path
}()

/// Contributions in memory.
final class FakeSourceReader: SourceReader {
    private let kept = Mutex<[UUIDv7: (user: UUIDv7, contributions: [SourceContribution])]>([:])
    private let failure = Mutex<LedgerError?>(nil)

    func set(_ contributions: [SourceContribution], of execution: UUIDv7, user: UUIDv7) {
        kept.withLock { $0[execution] = (user, contributions) }
    }

    func fail(_ error: LedgerError) { failure.withLock { $0 = error } }

    func contributions(of execution: UUIDv7) async throws(LedgerError) -> [SourceContribution]? {
        if let error = failure.withLock({ $0 }) { throw error }
        return kept.withLock { $0[execution]?.contributions }
    }

    func contributions(of execution: UUIDv7, user: UUIDv7) async throws(LedgerError) -> [SourceContribution]? {
        if let error = failure.withLock({ $0 }) { throw error }
        return kept.withLock { $0[execution].flatMap { $0.user == user ? $0.contributions : nil } }
    }
}

/// Blobs in memory, under names that count.
final class FakeBlobs: BlobStore {
    struct Full: Error {}

    let kept = Mutex<[[UInt8]]>([])
    let isFull = Mutex(false)

    func put(_ bytes: [UInt8]) async throws -> String {
        if isFull.withLock({ $0 }) { throw Full() }
        return kept.withLock { kept in
            kept.append(bytes)
            return String(kept.count)
        }
    }

    func get(_ digest: String) async throws -> [UInt8]? { nil }
}

extension SourceContribution {
    static let time = Timestamp(microseconds: 1_795_420_800_250_000)

    init(_ step: String, _ files: [(String, String)], summary: String = "", time: Timestamp = Self.time) {
        self.init(
            step: step, summary: summary, files: files.map { SourceFile(path: $0.0, content: $0.1) }, time: time)
    }
}

/// The error a body throws.
func refusal(_ body: () async throws -> Void) async -> SourceError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? SourceError
    }
}
