/// The port to files kept by the SHA-256 of their content.
public protocol BlobStore: Sendable {
    /// Stores the bytes and returns their digest as 64 lower-case hexadecimal digits. Storing the same bytes again
    /// changes nothing. Durable when it returns.
    func put(_ bytes: [UInt8]) async throws -> String
    /// The bytes, or nil where none with this digest are kept.
    func get(_ digest: String) async throws -> [UInt8]?
}
