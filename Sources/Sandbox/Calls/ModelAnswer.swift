import Domain

/// One answer of a simulated model, and the two forms in which a provider sends it.
protocol ModelAnswer: Sendable {
    var text: String { get }
    var stopReason: String { get }

    /// The consumption when so many bytes of the text are out.
    func usage(textBytes: Int) -> JSON
    /// The whole answer, for a request that did not ask for a stream.
    var whole: JSON { get }
    /// The stream, from its first event to its last.
    func events(pieces: [Substring]) -> [StreamEvent]
    /// The event that tells of a failure in the middle of the stream.
    func failure(after events: Int) -> StreamEvent
}

extension ModelAnswer {
    var usage: JSON { usage(textBytes: text.utf8.count) }
}

/// One server-sent event.
struct StreamEvent: Sendable {
    let name: String
    let data: JSON
    /// How much text has gone out once this event has.
    let textBytes: Int
    /// Whether it brings a piece of the text, which takes the model its time.
    let isPiece: Bool

    init(_ name: String, _ data: JSON, textBytes: Int = 0, isPiece: Bool = false) {
        self.name = name
        self.data = data
        self.textBytes = textBytes
        self.isPiece = isPiece
    }

    var bytes: [UInt8] { Array("event: \(name)\ndata: \(data.text)\n\n".utf8) }
    /// The event with its data cut off in the middle.
    var broken: [UInt8] { Array("event: \(name)\ndata: \(data.text.prefix(data.text.count / 2))\n\n".utf8) }
}
