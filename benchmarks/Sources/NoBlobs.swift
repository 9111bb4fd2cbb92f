import ArgumentParser
import Domain

/// The plugins that are measured keep no files.
struct NoBlobs: BlobStore {
    func put(_ bytes: [UInt8]) async throws -> String { throw ValidationError("the benchmark keeps no blobs") }
    func get(_ digest: String) async throws -> [UInt8]? { nil }
}
