public import Domain

/// Lets git clients clone executions' repositories, by `git upload-pack`. Nothing can be pushed.
public struct GitSourceService: SourceService {
    private let repositories: GitRepositories
    private let reader: any SourceReader

    public init(repositories: GitRepositories, reader: any SourceReader) {
        self.repositories = repositories
        self.reader = reader
    }

    public func references(
        of execution: UUIDv7, user: UUIDv7, version: String?
    ) async throws(SourceError) -> (any SourceStream)? {
        let stream = try await serve(execution, user: user, input: [], version: version, advertises: true)
        // Only the versions before 2 name the service first.
        guard let stream, version?.split(separator: ":").contains("version=2") != true else { return stream }
        return AnnouncedStream(Array("001e# service=git-upload-pack\n0000".utf8), before: stream)
    }

    public func pack(
        of execution: UUIDv7, user: UUIDv7, request: [UInt8], version: String?
    ) async throws(SourceError) -> (any SourceStream)? {
        try await serve(execution, user: user, input: request, version: version, advertises: false)
    }

    private func serve(
        _ execution: UUIDv7, user: UUIDv7, input: [UInt8], version: String?, advertises: Bool
    ) async throws(SourceError) -> (any SourceStream)? {
        let contributions: [SourceContribution]?
        do { contributions = try await reader.contributions(of: execution, user: user) } catch {
            throw SourceError(error)
        }
        guard let contributions else { return nil }
        let repository = try await repositories.repository(of: execution, try SourceHistory(contributions))
        let command = repositories.uploadCommand(
            in: repository, input: input, version: version.flatMap(Self.acceptable), advertises: advertises)
        return try await repositories.start(command, in: repository)
    }

    /// What may stand in git's environment: `version=2` and its like. Anything else counts as not said.
    private static func acceptable(_ version: String) -> String? {
        let isPlain = version.utf8.allSatisfy { byte in
            0x30...0x3A ~= byte || 0x41...0x5A ~= byte || 0x61...0x7A ~= byte || "=-_.".utf8.contains(byte)
        }
        return isPlain && (1...100).contains(version.utf8.count) ? version : nil
    }
}
