import Domain
import Synchronization

/// Answers git clients with what is set.
final class FakeSources: SourceService {
    struct Request: Equatable {
        var body: [UInt8]?
        var version: String?
    }

    struct State {
        /// Whose execution there is.
        var owners: [UUIDv7: UUIDv7] = [:]
        var chunks: [[UInt8]] = []
        /// Whether the stream waits behind its last chunk for ever.
        var isEndless = false
        var failure: SourceError?
        var requests: [Request] = []
        var open = 0
    }

    let state = Mutex(State())

    /// Streams that nobody has let go of.
    var open: Int { state.withLock { $0.open } }

    func references(
        of execution: UUIDv7, user: UUIDv7, version: String?
    ) async throws(SourceError) -> (any SourceStream)? {
        try stream(execution, user, Request(version: version))
    }

    func pack(
        of execution: UUIDv7, user: UUIDv7, request: [UInt8], version: String?
    ) async throws(SourceError) -> (any SourceStream)? {
        try stream(execution, user, Request(body: request, version: version))
    }

    private func stream(
        _ execution: UUIDv7, _ user: UUIDv7, _ request: Request
    ) throws(SourceError) -> (any SourceStream)? {
        let answer: (SourceError?, Stream?) = state.withLock { state in
            state.requests.append(request)
            guard state.failure == nil, state.owners[execution] == user else { return (state.failure, nil) }
            state.open += 1
            return (nil, Stream(self, state.chunks, isEndless: state.isEndless))
        }
        if let failure = answer.0 { throw failure }
        return answer.1
    }

    private final class Stream: SourceStream {
        private let sources: FakeSources
        private let chunks: Mutex<ArraySlice<[UInt8]>>
        private let isEndless: Bool
        private let gate = AsyncStream.makeStream(of: Never.self)

        init(_ sources: FakeSources, _ chunks: [[UInt8]], isEndless: Bool) {
            self.sources = sources
            self.chunks = Mutex(chunks[...])
            self.isEndless = isEndless
        }

        deinit { sources.state.withLock { $0.open -= 1 } }

        func next() async throws(SourceError) -> [UInt8]? {
            if let chunk = chunks.withLock({ $0.popFirst() }) { return chunk }
            guard isEndless else { return nil }
            for await _ in gate.stream {}
            throw SourceError(.unavailable, "ended")
        }

        func cancel() { gate.continuation.finish() }
    }
}
