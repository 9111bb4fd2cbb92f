import PluginKit

/// Reads one answer to its end.
struct Answer: Sendable {
    /// How the answer comes: streamed, as it was asked for, or whole, from a gateway that takes no notice of `stream`.
    enum Form: Sendable {
        case eventStream
        case response

        /// - Throws: where it is neither: a page with status 200 comes from whatever `base_url` leads to instead of the
        ///   API. The error has no status, for what happened there is not known, and may have been charged.
        init(contentType: String?, requestID: String?) throws(PluginError) {
            let type = contentType?.prefix { $0 != ";" && $0 != " " }.lowercased()
            switch type {
            case nil, "text/event-stream": self = .eventStream
            case "application/json": self = .response
            default:
                throw PluginError(
                    .upstream,
                    "the answer is \(contentType?.prefix(100) ?? "") and no event stream; base_url does not lead to "
                        + "the Responses API", providerRequestID: requestID)
            }
        }
    }

    /// The longest text, and as much again for its escapes and frame: the last event repeats the whole answer.
    private static let maximumResponseBytes = 2 * ResponseStream.maximumTextBytes

    let request: GenerateRequest
    let providerRequestID: String?

    /// - Parameters:
    ///   - body: the answer's bytes, in pieces of any size. Of an event stream nothing is read beyond the answer's end:
    ///     the connection's own end may come late, or never.
    ///   - emit: takes what is to be pushed to the host, in order.
    /// - Returns: the operation's result.
    /// - Throws: `PluginError` with the provider's request id and the consumption, where it was stated.
    func read<Body: AsyncSequence>(
        _ body: Body, as form: Form = .eventStream, emit: (ResponseStream.Output) async throws -> Void
    ) async throws -> JSON where Body.Element == [UInt8] {
        var stream = ResponseStream()
        do {
            switch form {
            case .eventStream: try await readEvents(body, into: &stream, emit: emit)
            case .response: try await readResponse(body, into: &stream, emit: emit)
            }
            return try stream.result(for: request, providerRequestID: providerRequestID)
        } catch let error as PluginError {
            throw completed(error, stream)
        }
    }

    private func readEvents<Body: AsyncSequence>(
        _ body: Body, into stream: inout ResponseStream, emit: (ResponseStream.Output) async throws -> Void
    ) async throws where Body.Element == [UInt8] {
        var parser = EventStreamParser(maximumEventBytes: Self.maximumResponseBytes)
        for try await bytes in body {
            for event in try parser.push(bytes) {
                for output in try stream.receive(event) { try await emit(output) }
            }
            if stream.isComplete { return }
        }
    }

    private func readResponse<Body: AsyncSequence>(
        _ body: Body, into stream: inout ResponseStream, emit: (ResponseStream.Output) async throws -> Void
    ) async throws where Body.Element == [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in body {
            guard bytes.count + piece.count <= Self.maximumResponseBytes else {
                throw PluginError(.limit, "the answer is longer than \(Self.maximumResponseBytes) bytes")
            }
            bytes += piece
        }
        for output in try stream.receive(response: bytes) { try await emit(output) }
    }

    private func completed(_ error: PluginError, _ stream: ResponseStream) -> PluginError {
        PluginError(
            error.code, error.message, isRetryable: error.isRetryable,
            retryAfterMilliseconds: error.retryAfterMilliseconds, status: error.status,
            providerRequestID: providerRequestID ?? error.providerRequestID, usage: stream.usage?.json,
            rawUsage: stream.usage?.raw, isUsageFinal: stream.usage != nil)
    }
}
