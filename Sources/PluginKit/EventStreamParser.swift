/// One event of an event stream.
public struct ServerSentEvent: Sendable, Hashable {
    /// The event's type; `message` where the stream names none.
    public let event: String
    public let data: String
    /// The last id the stream has given, nil where it has given none.
    public let id: String?

    public init(event: String = "message", data: String, id: String? = nil) {
        self.event = event
        self.data = data
        self.id = id
    }
}

/// Reads a `text/event-stream` piece by piece, as the HTML standard says (section 9.2.6): lines end in LF, CR or
/// CRLF, a byte order mark at the start is skipped, lines that begin with a colon are comments, an event without
/// data is none, and an event that the stream's end cuts off is dropped.
///
/// It works on bytes and decodes whole lines, so a piece may end anywhere, inside a character too.
public struct EventStreamParser: Sendable {
    private static let carriageReturn = UInt8(ascii: "\r")
    private static let lineFeed = UInt8(ascii: "\n")

    /// What one event may hold, its unfinished line included.
    public let maximumEventBytes: Int

    private var line: [UInt8] = []
    private var endedInCarriageReturn = false
    private var isFirstLine = true
    private var type = ""
    private var data: [UInt8] = []
    private var hasData = false
    private var lastID: String?

    public init(maximumEventBytes: Int) { self.maximumEventBytes = maximumEventBytes }

    /// Takes the next bytes and returns the events they complete.
    ///
    /// - Throws: `PluginError` with `limit` where an event grows beyond `maximumEventBytes`.
    public mutating func push(_ bytes: [UInt8]) throws -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        var rest = bytes[...]
        if endedInCarriageReturn, let first = rest.first {
            endedInCarriageReturn = false
            if first == Self.lineFeed { rest.removeFirst() }
        }
        while let end = rest.firstIndex(where: { $0 == Self.lineFeed || $0 == Self.carriageReturn }) {
            try append(rest[..<end])
            if let event = try endLine() { events.append(event) }
            let isCarriageReturn = rest[end] == Self.carriageReturn
            rest = rest[(end + 1)...]
            guard isCarriageReturn else { continue }
            if rest.isEmpty { endedInCarriageReturn = true }
            if rest.first == Self.lineFeed { rest.removeFirst() }
        }
        try append(rest)
        return events
    }

    private mutating func append(_ bytes: ArraySlice<UInt8>) throws {
        guard data.count + line.count + bytes.count <= maximumEventBytes else {
            throw PluginError(.limit, "an event of the stream is longer than \(maximumEventBytes) bytes")
        }
        line.append(contentsOf: bytes)
    }

    private mutating func endLine() throws -> ServerSentEvent? {
        defer { line.removeAll(keepingCapacity: true) }
        var text = line[...]
        if isFirstLine {
            isFirstLine = false
            if text.starts(with: [0xEF, 0xBB, 0xBF]) { text = text.dropFirst(3) }
        }
        if text.isEmpty { return dispatch() }
        let colon = text.firstIndex(of: UInt8(ascii: ":")) ?? text.endIndex
        var value = text[colon...].dropFirst()
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        switch String(decoding: text[..<colon], as: UTF8.self) {
        case "event": type = String(decoding: value, as: UTF8.self)
        case "data":
            if hasData { data.append(Self.lineFeed) }
            hasData = true
            data.append(contentsOf: value)
        case "id" where !value.contains(0): lastID = String(decoding: value, as: UTF8.self)
        // Comments, `retry` (whose place is a reconnecting client) and fields nobody knows.
        default: break
        }
        return nil
    }

    private mutating func dispatch() -> ServerSentEvent? {
        defer {
            type = ""
            data.removeAll(keepingCapacity: true)
            hasData = false
        }
        guard hasData else { return nil }
        return ServerSentEvent(
            event: type.isEmpty ? "message" : type, data: String(decoding: data, as: UTF8.self), id: lastID)
    }
}
