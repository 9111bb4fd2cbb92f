import Domain

/// What a plugin has emitted and the caller not yet taken. Neighbouring pieces of text are joined, and consumption
/// replaces what was said before, so that a caller who lags finds little to do. Lines of a log stay apart, in order.
struct CallOutput: Sendable {
    /// What a line of a log may hold; one that is longer is cut.
    static let maximumLogBytes = 8_192

    private struct Line: Sendable {
        let stream: LogStream
        let message: String
        let byteCount: Int
    }

    private var joiner = TextJoiner()
    private var text = ""
    private var textBytes = 0
    /// A slice, for its first line goes without moving the others.
    private var lines: ArraySlice<Line> = []
    private var usage: TokenUsage?

    mutating func add(text bytes: [UInt8]) {
        text += joiner.push(bytes)
        textBytes += bytes.count
    }

    /// No text follows.
    mutating func finishText() { text += joiner.finish() }

    mutating func add(log stream: LogStream, _ message: String, bytes count: Int) {
        lines.append(Line(stream: stream, message: message, byteCount: count))
    }

    mutating func add(usage: TokenUsage) { self.usage = usage }

    /// What the caller gets next, and how much of the window that frees.
    mutating func next() -> (chunk: CallChunk, bytes: Int)? {
        if !text.isEmpty {
            defer { (text, textBytes) = ("", 0) }
            return (.text(text), textBytes)
        }
        if let line = lines.popFirst() { return (.log(line.stream, line.message), line.byteCount) }
        guard let usage else { return nil }
        self.usage = nil
        return (.usage(usage), 0)
    }
}
