public import PluginKit

/// A body that comes in these pieces, then ends as told.
public struct Pieces: AsyncSequence {
    public typealias Element = [UInt8]
    private let pieces: [[UInt8]]
    private let failure: PluginError?

    public init(pieces: [[UInt8]], failure: PluginError? = nil) {
        self.pieces = pieces
        self.failure = failure
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        var rest: ArraySlice<[UInt8]>
        let failure: PluginError?

        public mutating func next() async throws -> [UInt8]? {
            if let piece = rest.popFirst() { return piece }
            if let failure { throw failure }
            return nil
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(rest: pieces[...], failure: failure) }
}
