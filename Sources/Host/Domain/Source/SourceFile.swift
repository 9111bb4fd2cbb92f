/// One generated file.
public struct SourceFile: Sendable, Hashable {
    /// Relative, with forward slashes; see `SourcePath`.
    public let path: String
    public let content: String

    public init(path: String, content: String) {
        self.path = path
        self.content = content
    }
}

/// What one step contributed to the source of an application.
public struct SourceContribution: Sendable, Hashable {
    public let step: String
    public let summary: String
    public let files: [SourceFile]
    public let time: Timestamp

    public init(step: String, summary: String, files: [SourceFile], time: Timestamp) {
        self.step = step
        self.summary = summary
        self.files = files
        self.time = time
    }
}

/// The source of an execution's application, merged and packed.
public struct SourceArchive: Sendable, Hashable {
    /// Of a gzipped tar file in the blob store.
    public let digest: String
    public let bytes: Int
    public let paths: [String]
    /// What merging had to decide: a file of one step replaced by another's.
    public let remarks: [String]

    public init(digest: String, bytes: Int, paths: [String], remarks: [String]) {
        self.digest = digest
        self.bytes = bytes
        self.paths = paths
        self.remarks = remarks
    }
}

/// The port to what a run's steps have written so far.
public protocol SourceArchives: Sendable {
    /// Packs the merged files of all steps of an execution that have succeeded.
    func archive(of execution: UUIDv7) async throws(SourceError) -> SourceArchive
}

public struct SourceError: Error, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable, Hashable {
        /// The contributions cannot be merged; the message says which files of which steps.
        case conflict
        /// There is nothing to pack.
        case empty
        /// The tool or the disk failed.
        case unavailable
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code.rawValue): \(message)" }
}
