import PluginKit
import Testing

@Suite struct EventStreamParserTests {
    private func parse(_ pieces: [[UInt8]], limit: Int = 10_000) throws -> [ServerSentEvent] {
        var parser = EventStreamParser(maximumEventBytes: limit)
        return try pieces.flatMap { try parser.push($0) }
    }

    private func parse(_ text: String) throws -> [ServerSentEvent] { try parse([Array(text.utf8)]) }

    private static let stream = """
        \u{FEFF}: a comment
        event: message_start
        data: {"text":"Grüße 🙂"}

        id: 7
        data:first
        data: second
        data
        data:  indented


        event: nothing

        retry: 10
        unknown: field
        data: last


        """

    private static let expected = [
        ServerSentEvent(event: "message_start", data: "{\"text\":\"Grüße 🙂\"}"),
        ServerSentEvent(data: "first\nsecond\n\n indented", id: "7"),
        ServerSentEvent(data: "last", id: "7"),
    ]

    /// Every way to cut the stream in three, with each of the three line ends.
    @Test(arguments: ["\n", "\r", "\r\n"]) func anySplitGivesTheSameEvents(lineEnd: String) throws {
        let bytes = Array(Self.stream.replacing("\n", with: lineEnd).utf8)
        #expect(try parse([bytes]) == Self.expected)
        for first in 0...bytes.count {
            for second in stride(from: first, through: bytes.count, by: 7) {
                let pieces = [Array(bytes[..<first]), Array(bytes[first..<second]), Array(bytes[second...])]
                guard try parse(pieces) == Self.expected else {
                    Issue.record("cut at \(first) and \(second)")
                    return
                }
            }
        }
        #expect(try parse(bytes.map { [$0] }) == Self.expected)
    }

    @Test func anEventThatTheEndCutsOffIsDropped() throws {
        #expect(try parse("data: whole\n\ndata: cut off\n") == [ServerSentEvent(data: "whole")])
    }

    @Test func lineEndsMayBeMixed() throws {
        let events = try parse("data: a\r\rdata: b\n\r\ndata: c\r\n\r")
        #expect(events == ["a", "b", "c"].map { ServerSentEvent(data: $0) })
    }

    @Test func aByteOrderMarkIsSkippedOnlyAtTheStart() throws {
        #expect(try parse("\u{FEFF}data: a\n\n\u{FEFF}data: b\n\n") == [ServerSentEvent(data: "a")])
    }

    @Test func anIDWithANullIsIgnored() throws {
        #expect(try parse("id: a\nid: b\u{0}\ndata: x\n\n") == [ServerSentEvent(data: "x", id: "a")])
    }

    @Test func anEventBeyondTheLimitIsRefused() throws {
        #expect(throws: PluginError.self) { try parse([Array("data: 0123456789\n".utf8)], limit: 12) }
        #expect(throws: PluginError.self) {
            try parse([Array("data: 0123\n".utf8), Array("data: 4567\n".utf8), Array("data: 89".utf8)], limit: 12)
        }
        #expect(try parse([Array("data: 0123\n\ndata: 4567\n\n".utf8)], limit: 12).count == 2)
    }
}
