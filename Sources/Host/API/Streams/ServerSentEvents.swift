import Domain
import NIOCore

/// Server-sent events, as `EventSource` reads them.
enum ServerSentEvents {
    /// Tells clients how soon to come again, in milliseconds.
    static let preamble = "retry: 1000\n\n"
    /// A comment: keeps what lies between from taking the connection for dead.
    static let heartbeat = ":\n\n"

    /// The last event: the run is over and every line was sent.
    static func end(_ state: ExecutionState) -> String {
        "event: end\ndata: {\"status\":\"\(state.rawValue)\"}\n\n"
    }

    /// One event for each line of a page, under its sequence number.
    static func append(_ page: LogPage, to buffer: inout ByteBuffer) {
        let text = Array(page.lines.utf8)
        let lines = elements(of: text)
        // A page has no gap.
        var sequence = page.lastSequence - Int64(lines.count)
        buffer.reserveCapacity(minimumWritableBytes: text.count + lines.count * 48)
        for line in lines {
            sequence += 1
            buffer.writeString("id: \(sequence)\nevent: log\ndata: ")
            // Line ends can stand only between tokens, and would end the event's line.
            for part in text[line].split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) { buffer.writeBytes(part) }
            buffer.writeString("\n\n")
        }
    }

    /// Where the elements of a JSON array of objects are, without reading what is in them.
    private static func elements(of text: [UInt8]) -> [Range<Int>] {
        var elements: [Range<Int>] = []
        var depth = 0
        var start = 0
        var isInString = false
        var isEscaped = false
        for (index, byte) in text.enumerated() {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                if depth == 2 { start = index }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 2 { elements.append(start..<index + 1) }
                depth -= 1
            default: break
            }
        }
        return elements
    }
}
