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

    /// Pushes a line of what the provider does for the call: of a build, or of a deployment that runs. The user sees it,
    /// up to 8 KiB of it. Suspends while the host's window is full.
    public func emit(log: LogStream, _ message: String) async throws {
        let chunk: JSON = [
            "stream": .string(log.rawValue), "message": .string(Self.cut(message, at: Self.maximumLogBytes)),
        ]
        try await active.emit(.log, chunk.bytes)
    }

    /// More than the host keeps, so that it sees the cut, and little enough that no message escapes beyond a chunk.
    private static let maximumLogBytes = 10_000

    /// The beginning of a text, in whole characters.
    private static func cut(_ text: String, at limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: limit)
        while String.Index(end, within: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }

    /// Writes one line to the operator's log, marked with this call. Never put a secret or a user's prompt into it.
    public func log(_ level: LogLevel, _ message: String, fields: [String: String] = [:]) {
        active.host.log(call: active.id, level, message, fields)
    }
}

/// Which of a deployment's logs a line belongs to.
public enum LogStream: String, Sendable, Hashable, CaseIterable {
    case build, deploy
}
