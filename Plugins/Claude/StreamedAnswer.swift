import PluginKit

/// Reads one streamed answer to its end.
struct StreamedAnswer: Sendable {
    /// An event carries a piece of text or the message's frame; this is far above either.
    private static let maximumEventBytes = 4 << 20

    let request: GenerateRequest
    let providerRequestID: String?

    /// - Parameters:
    ///   - body: the bytes of the event stream, in pieces of any size.
    ///   - emit: takes what is to be pushed to the host, in order.
    /// - Returns: the operation's result.
    /// - Throws: `PluginError` with the provider's request id and the consumption so far; what `emit` throws.
    func read<Body: AsyncSequence>(
        _ body: Body, emit: (MessageStream.Output) async throws -> Void
    ) async throws -> JSON where Body.Element == [UInt8] {
        var parser = EventStreamParser(maximumEventBytes: Self.maximumEventBytes)
        var stream = MessageStream()
        do {
            for try await bytes in body {
                for event in try parser.push(bytes) {
                    if let output = try stream.receive(event) { try await emit(output) }
                }
            }
        } catch let error as PluginError {
            // The answer is whole and paid for: what happens to the connection afterwards does not matter.
            guard stream.isComplete else { throw completed(error, usage: stream.usage) }
        }
        do {
            return try stream.result(for: request, providerRequestID: providerRequestID)
        } catch {
            throw completed(error, usage: stream.usage)
        }
    }

    private func completed(_ error: PluginError, usage: UsageTally) -> PluginError {
        PluginError(
            error.code, error.message, isRetryable: error.isRetryable,
            retryAfterMilliseconds: error.retryAfterMilliseconds, status: error.status,
            providerRequestID: providerRequestID ?? error.providerRequestID, usage: error.usage ?? usage.jsonIfAny)
    }
}
