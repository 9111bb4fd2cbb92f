/// The head of an answer, and the way to its body. Dropping it before the body was read to its end aborts the
/// transfer.
public struct HTTPResponse: Sendable {
    public let status: Int
    /// `1.1` or `2`.
    public let version: String
    /// In the order of the wire, names in lower case.
    public let headers: [(String, String)]
    public let body: HTTPBody

    /// The first header of this name, in whatever case it is given.
    public func header(_ name: String) -> String? {
        let name = name.lowercased()
        return headers.first { $0.0 == name }?.1
    }

    /// The whole body.
    ///
    /// - Throws: `PluginError` with `limit` where it is longer than `limit` bytes, and whatever ended the transfer.
    public func collect(upTo limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in body {
            guard bytes.count + piece.count <= limit else {
                throw PluginError(
                    .limit, "the answer's body is longer than \(limit) bytes", status: status >= 400 ? status : nil)
            }
            bytes += piece
        }
        return bytes
    }

    /// The beginning of the body, of at most so many bytes: enough to say what an error page said. What comes after it
    /// is not waited for, and a transfer that fails ends it early.
    public func beginning(upTo limit: Int) async -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            for try await piece in body {
                bytes += piece.prefix(limit - bytes.count)
                if bytes.count == limit { break }
            }
        } catch {
            // The status says enough without the rest.
        }
        return bytes
    }
}

/// An answer's body as it arrives. It is read once, by one task; while that one lags the peer is held back.
public struct HTTPBody: AsyncSequence, Sendable {
    public typealias Element = [UInt8]

    let lease: TransferLease

    public struct AsyncIterator: AsyncIteratorProtocol {
        let lease: TransferLease

        public mutating func next() async throws -> [UInt8]? { try await lease.transfer.next() }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(lease: lease) }
}

/// Aborts a transfer that nobody can read any more.
final class TransferLease: Sendable {
    let transfer: Transfer
    private let call: ActiveCall
    private let user: UInt64

    /// - Parameter user: the name under which the call knows the transfer.
    init(_ transfer: Transfer, of call: ActiveCall, user: UInt64) {
        self.transfer = transfer
        self.call = call
        self.user = user
    }

    deinit {
        transfer.abandon()
        call.remove(transfer: user)
    }
}
