public import Domain

/// Packs what an execution's steps have written as a gzipped tar, whose paths begin with `./`, into the blob store.
/// The same contributions give the same archive.
public struct GitSourceArchives: SourceArchives {
    /// Of the archive.
    static let maximumBytes = 67_108_864

    private let repositories: GitRepositories
    private let reader: any SourceReader
    private let blobs: any BlobStore

    public init(repositories: GitRepositories, reader: any SourceReader, blobs: any BlobStore) {
        self.repositories = repositories
        self.reader = reader
        self.blobs = blobs
    }

    public func archive(of execution: UUIDv7) async throws(SourceError) -> SourceArchive {
        let contributions: [SourceContribution]?
        do { contributions = try await reader.contributions(of: execution) } catch { throw SourceError(error) }
        let history = try SourceHistory(contributions ?? [])
        guard !history.tree.files.isEmpty else {
            throw SourceError(.empty, "no step of the execution has written a file")
        }
        let repository = try await repositories.repository(of: execution, history)
        let command = repositories.archiveCommand(in: repository, format: "tar.gz")
        let bytes = try await repositories.start(command, in: repository).collect(limit: Self.maximumBytes)
        let digest: String
        do { digest = try await blobs.put(bytes) } catch {
            throw SourceError(.unavailable, "the archive could not be stored: \(error)")
        }
        return SourceArchive(
            digest: digest, bytes: bytes.count, paths: history.tree.files.map(\.path), remarks: history.tree.remarks)
    }
}

extension SourceError {
    init(_ error: LedgerError) { self.init(.unavailable, error.description) }
}
