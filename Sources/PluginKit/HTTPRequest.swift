/// A request to the outside world. The host checks the URL against the manifest's `egress` and the base URLs the
/// operator configured, then fills in `{{secret:NAME}}` where a header's value has it: a secret of the manifest by its
/// name, or one that the call's input carries by its id (`{"$secret": id}`).
public struct HTTPRequest: Sendable {
    public enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// A kept blob, by its digest.
        case blob(String)
        /// Written piece by piece while it is sent: chunked, or of the length that a `Content-Length` header announces.
        case stream(@Sendable (HTTPBodyWriter) async throws -> Void)
    }

    public var method: String
    public var url: String
    public var headers: [(String, String)]
    public var body: Body
    /// Bounds the whole transfer; 0 leaves it to the call's deadline, which bounds it in any case.
    public var timeoutMilliseconds: UInt32
    /// Whether `{{secret:ID}}` in a body of bytes is filled in too, as it stands inside a JSON string: only ids that the
    /// call's input carries. Any other mark stays as it is. With a blob or a stream, `send` throws `invalid`.
    public var fillsSecretsInBody: Bool

    public init(
        method: String, url: String, headers: [(String, String)] = [], body: Body = .none,
        timeoutMilliseconds: UInt32 = 0, fillsSecretsInBody: Bool = false
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeoutMilliseconds = timeoutMilliseconds
        self.fillsSecretsInBody = fillsSecretsInBody
    }
}

/// Where a streamed body is written to.
public struct HTTPBodyWriter: Sendable {
    let transfer: Transfer

    /// Hands over a piece of the body. Suspends while the transfer's window is full.
    public func write(_ bytes: [UInt8]) async throws {
        var position = 0
        while position < bytes.count {
            let end = min(position + Transfer.maximumPieceBytes, bytes.count)
            try await transfer.write(Array(bytes[position..<end]))
            position = end
        }
    }
}
