import PluginKit

/// Reads one answer to its end.
struct Answer: Sendable {
    /// How the answer comes: streamed, as it was asked for, or whole, from a gateway that takes no notice of `stream`.
    enum Form: Sendable {
        case eventStream
        case message

        /// - Throws: where it is neither: a page with status 200 comes from whatever `base_url` leads to instead of the
        ///   API. The error has no status, for what happened there is not known, and may have been charged.
        init(contentType: String?, requestID: String?) throws(PluginError) {
            let type = contentType?.prefix { $0 != ";" && $0 != " " }.lowercased()
            switch type {
            case nil, "text/event-stream": self = .eventStream
            case "application/json": self = .message
            default:
                throw PluginError(
                    .upstream,
                    "the answer is \(contentType?.prefix(100) ?? "") and no event stream; base_url does not lead to the "
                        + "Messages API", providerRequestID: requestID)
            }
        }
    }

    /// An event carries a piece of text or the message's frame; this is far above either.
    private static let maximumEventBytes = 4 << 20
    /// The longest text, and as much again for its escapes and frame.
    private static let maximumMessageBytes = 2 * MessageStream.maximumTextBytes

    let request: GenerateRequest
    let providerRequestID: String?

    /// - Parameters:
    ///   - body: the answer's bytes, in pieces of any size. Of an event stream nothing is read beyond the message's end:
    ///     the connection's own end may come late, or never.
    ///   - emit: takes what is to be pushed to the host, in order.
    /// - Returns: the operation's result.
    /// - Throws: `PluginError` with the provider's request id and the consumption so far.
    func read<Body: AsyncSequence>(
        _ body: Body, as form: Form = .eventStream, emit: (MessageStream.Output) async throws -> Void
    ) async throws -> JSON where Body.Element == [UInt8] {
        var stream = MessageStream()
        do {
            switch form {
            case .eventStream: try await readEvents(body, into: &stream, emit: emit)
            case .message: try await readMessage(body, into: &stream, emit: emit)
            }
            return try stream.result(for: request, providerRequestID: providerRequestID)
        } catch let error as PluginError {
            throw completed(error, stream)
        }
    }

    private func readEvents<Body: AsyncSequence>(
        _ body: Body, into stream: inout MessageStream, emit: (MessageStream.Output) async throws -> Void
    ) async throws where Body.Element == [UInt8] {
        var parser = EventStreamParser(maximumEventBytes: Self.maximumEventBytes)
        for try await bytes in body {
            for event in try parser.push(bytes) {
                if let output = try stream.receive(event) { try await emit(output) }
            }
            if stream.isComplete { return }
        }
    }

    private func readMessage<Body: AsyncSequence>(
        _ body: Body, into stream: inout MessageStream, emit: (MessageStream.Output) async throws -> Void
    ) async throws where Body.Element == [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in body {
            guard bytes.count + piece.count <= Self.maximumMessageBytes else {
                throw PluginError(.limit, "the answer is longer than \(Self.maximumMessageBytes) bytes")
            }
            bytes += piece
        }
        for output in try stream.receive(message: bytes) { try await emit(output) }
    }

    private func completed(_ error: PluginError, _ stream: MessageStream) -> PluginError {
        let usage = stream.usage
        return PluginError(
            error.code, error.message, isRetryable: error.isRetryable,
            retryAfterMilliseconds: error.retryAfterMilliseconds, status: error.status,
            providerRequestID: providerRequestID ?? error.providerRequestID, usage: error.usage ?? usage.jsonIfAny,
            rawUsage: usage.isEmpty ? nil : .object(usage.raw), isUsageFinal: stream.isComplete && !usage.isEmpty)
    }
}
