/// How long an answer takes.
public struct Latency: Sendable, Hashable {
    /// Before the first byte.
    public var initial: Duration
    /// Before each piece of a streamed answer.
    public var perChunk: Duration
    /// The size of such a piece, in UTF-8 bytes, give or take a character.
    public var chunkBytes: Int

    public init(initial: Duration = .milliseconds(20), perChunk: Duration = .milliseconds(4), chunkBytes: Int = 200) {
        self.initial = initial
        self.perChunk = perChunk
        self.chunkBytes = max(1, chunkBytes)
    }

    /// As fast as it goes.
    public static let none = Latency(initial: .zero, perChunk: .zero)
}

/// Lets time pass as a latency says, on a clock that tests can own.
struct Pace: Sendable {
    let latency: Latency
    let clock: any Clock<Duration>

    func beforeAnswer() async throws { try await pause(latency.initial) }
    func beforeChunk() async throws { try await pause(latency.perChunk) }

    private func pause(_ duration: Duration) async throws {
        if duration > .zero { try await clock.sleep(for: duration) }
    }

    /// The text in pieces of about `chunkBytes`, cut between code points as the real stream is.
    func pieces(of text: String) -> [Substring] {
        var pieces: [Substring] = []
        var rest = text[...]
        while !rest.isEmpty {
            let limit = rest.utf8.index(rest.startIndex, offsetBy: latency.chunkBytes, limitedBy: rest.endIndex)
            var end = limit ?? rest.endIndex
            while end < rest.endIndex, rest.utf8[end] & 0xC0 == 0x80 { end = rest.utf8.index(after: end) }
            pieces.append(rest[..<end])
            rest = rest[end...]
        }
        return pieces
    }
}
