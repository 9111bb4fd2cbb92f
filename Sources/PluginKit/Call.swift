/// One call of one operation: what is asked, and the way to the host while it runs. Worthless after `Plugin.call`
/// returned: everything then throws `cancelled`.
public struct Call: Sendable {
    /// `ai.generate`, for example.
    public let operation: String
    public let input: JSON
    /// From 1.
    public let attempt: Int
    /// Opaque: on whose behalf the call is made.
    public let tenant: String
    /// The call's id in the host's ledger: send it to the provider in a header.
    public let trace: String
    /// The same over all attempts of one step.
    public let idempotencyKey: String
    /// When the host gives up on the call.
    public let deadlineUnixMilliseconds: UInt64

    let active: ActiveCall

    /// Pushes a piece of generated text. Suspends while the host's window is full.
    public func emit(text: String) async throws {
        let bytes = Array(text.utf8)
        var position = 0
        while position < bytes.count {
            let end = min(position + ActiveCall.maximumChunkBytes, bytes.count)
            try await active.emit(.text, Array(bytes[position..<end]))
            position = end
        }
    }

    /// Pushes what the call has consumed so far; each replaces the one before. Suspends while the host's window is
    /// full.
    public func emit(usage: JSON) async throws { try await active.emit(.usage, usage.bytes) }

    /// Writes one line to the operator's log, marked with this call. Never put a secret or a user's prompt into it.
    public func log(_ level: LogLevel, _ message: String, fields: [String: String] = [:]) {
        active.host.log(call: active.id, level, message, fields)
    }
}
