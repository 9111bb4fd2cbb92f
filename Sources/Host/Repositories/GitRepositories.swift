public import Domain
public import Logging

/// The git repository of each execution, made from what its steps wrote: `<directory>/<execution id>/<digest>.git`,
/// bare, with one commit a step on the branch `main`.
///
/// The contributions are the truth and a repository only their other form: it is made when it is asked for, by one
/// `git fast-import`, appears under its name when it is complete, and is made anew, under another name, when there are
/// other contributions. The same contributions give the same commits on every host. A state that is over is removed
/// when the next one is made and nobody reads it any more.
///
/// Everything that blocks runs on threads of its own, one a git; there are never more than `maximumProcesses`.
public final class GitRepositories: Sendable {
    public struct Configuration: Sendable {
        /// Gits at a time.
        public var maximumProcesses = 8
        /// Requests that may wait for one.
        public var maximumWaiting = 64
        /// For making a repository or an archive.
        public var buildTimeout = Duration.seconds(120)
        /// For a client's whole clone.
        public var transferTimeout = Duration.seconds(1_800)
        /// Without a byte moving, whoever's fault it is.
        public var patience = Duration.seconds(60)

        public init() {}
    }

    private let directory: String
    private let git: GitExecutable
    private let configuration: Configuration
    private let logger: Logger
    private let slots: ProcessSlots
    private let leases = RepositoryLeases()
    private let turns = BuildTurns()
    private let home: String

    /// - Parameter directory: absolute; made if it is missing, its parent is not. One host's own. Blocks for a moment.
    /// - Throws: `SourceError` of code `unavailable` where the directory cannot be made.
    public init(
        directory: String, git: GitExecutable, configuration: Configuration = Configuration(), logger: Logger
    ) throws(SourceError) {
        self.directory = directory
        self.git = git
        self.configuration = configuration
        self.logger = logger
        slots = ProcessSlots(limit: configuration.maximumProcesses, maximumWaiting: configuration.maximumWaiting)
        home = directory + "/home"
        try RepositoryFolder.makeDirectory(directory)
        try RepositoryFolder.makeDirectory(home)
    }

    /// Sees to it that the repository of these contributions is there, and stays for as long as it is held.
    func repository(of execution: UUIDv7, _ history: SourceHistory) async throws(SourceError) -> Repository {
        // Taken first, so that nobody removes what is about to be found.
        let lease = leases.take(execution, history.digest)
        let folder = RepositoryFolder(path: "\(directory)/\(execution)")
        try await turns.take(execution) { () async throws(SourceError) in
            try await build(history, in: folder, lease: lease)
        }
        return Repository(path: folder.repository(history.digest), lease: lease)
    }

    /// Starts a git in a repository, when it is its turn.
    func start(_ command: GitCommand, in repository: Repository) async throws(SourceError) -> GitProcess {
        let slot = try await slots.take()
        return try GitProcess(command, with: git, home: home, holding: [slot, repository.lease])
    }

    func archiveCommand(in repository: Repository, format: String) -> GitCommand {
        GitCommand(
            ["-c", "tar.umask=0022", "archive", "--format=\(format)", "--prefix=./", SourceHistory.branch],
            in: repository.path, timeout: configuration.buildTimeout, patience: configuration.patience)
    }

    func uploadCommand(
        in repository: Repository, input: [UInt8], version: String?, advertises: Bool
    ) -> GitCommand {
        GitCommand(
            ["upload-pack", "--stateless-rpc"] + (advertises ? ["--advertise-refs", "."] : ["."]),
            in: repository.path, input: input, version: version, timeout: configuration.transferTimeout,
            patience: configuration.patience)
    }

    private func build(
        _ history: SourceHistory, in folder: RepositoryFolder, lease: RepositoryLeases.Lease
    ) async throws(SourceError) {
        let slot = try await slots.take()
        let draft = "draft-\(UUIDv7(at: SystemWallClock().now()))"
        let command = GitCommand(
            ["-c", "fastimport.unpackLimit=0", "fast-import", "--quiet", "--done", "--date-format=raw"],
            in: "\(folder.path)/\(draft)", input: history.stream, timeout: configuration.buildTimeout,
            patience: configuration.patience)
        let digest = history.digest
        let leases = leases
        let process = try GitProcess(command, with: git, home: home, holding: [slot, lease]) {
            () throws(SourceError) in
            guard !folder.holds(digest) else { return false }
            folder.removeAll(but: leases.digests(of: lease.execution))
            _ = try folder.makeDraft(draft)
            return true
        } conclude: { () throws(SourceError) in
            try folder.publish(command.repository, as: digest)
        }
        do {
            _ = try await process.collect(limit: GitOutput.window)
        } catch {
            // A draft that failed is removed with the next build.
            logger.error(
                "a source repository could not be made",
                metadata: ["execution": "\(lease.execution)", "error": "\(error)"])
            throw error
        }
    }
}

/// A repository that stays for as long as this is held.
struct Repository: Sendable {
    let path: String
    let lease: RepositoryLeases.Lease
}
