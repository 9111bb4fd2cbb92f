/// The port through which the API lets git clients clone what an execution has built so far: git's smart HTTP
/// protocol, to read only.
public protocol SourceService: Sendable {
    /// The answer to `info/refs?service=git-upload-pack`.
    ///
    /// - Parameter version: the request's `Git-Protocol` header.
    /// - Returns: nil where this user has no such execution.
    func references(
        of execution: UUIDv7, user: UUIDv7, version: String?
    ) async throws(SourceError) -> (any SourceStream)?

    /// The answer to a request to `git-upload-pack`.
    ///
    /// - Parameter request: the request's body, decoded.
    /// - Returns: nil where this user has no such execution.
    func pack(
        of execution: UUIDv7, user: UUIDv7, request: [UInt8], version: String?
    ) async throws(SourceError) -> (any SourceStream)?
}

/// Bytes that are made while they are read, and no faster. Whoever lets go of the stream ends the making.
public protocol SourceStream: AnyObject, Sendable {
    /// The next bytes, at least one; nil at the end. One caller at a time; cancelling its task ends the stream.
    func next() async throws(SourceError) -> [UInt8]?

    /// Ends the making; `next` throws once it has ended. From any thread; nothing where it is over.
    func cancel()
}
