import Testing

@testable import RailwayPlugin

@Suite struct LogCursorTests {
    private func entry(_ fraction: String, _ message: String) -> LogEntry {
        LogEntry(timestamp: "2026-11-23T10:00:00\(fraction)Z", message: message)
    }

    private func messages(_ cursor: inout LogCursor, _ page: [LogEntry]) -> [String] {
        cursor.take(page).map(\.message)
    }

    @Test func `pages that overlap are read once`() {
        var cursor = LogCursor()
        #expect(messages(&cursor, [entry(".1", "a"), entry(".2", "b")]) == ["a", "b"])
        #expect(cursor.position == "2026-11-23T10:00:00.2Z")
        #expect(messages(&cursor, [entry(".2", "b"), entry(".3", "c")]) == ["c"])
        #expect(messages(&cursor, [entry(".3", "c")]).isEmpty)
        // A server that does not know where to begin sends everything again.
        #expect(messages(&cursor, [entry(".1", "a"), entry(".2", "b"), entry(".3", "c"), entry(".4", "d")]) == ["d"])
    }

    @Test func `equal lines of one moment count as often as they are there`() {
        var cursor = LogCursor()
        #expect(messages(&cursor, [entry(".1", "a"), entry(".1", "a")]) == ["a", "a"])
        #expect(messages(&cursor, [entry(".1", "a"), entry(".1", "a"), entry(".1", "a")]) == ["a"])
        #expect(messages(&cursor, [entry(".1", "a"), entry(".1", "a"), entry(".1", "a")]).isEmpty)
    }

    @Test func `fractions of any length are compared as times`() {
        var cursor = LogCursor()
        let page = [entry(".12", "c"), entry("", "a"), entry(".1", "b"), entry(".120000001", "d")]
        #expect(messages(&cursor, page) == ["a", "b", "c", "d"])
        #expect(messages(&cursor, [entry(".12", "c"), entry(".120", "late")]).isEmpty)
        #expect(messages(&cursor, [entry(".2", "e"), entry("", "a")]) == ["e"])
    }

    @Test func `timestamps that are none are read once too`() {
        var cursor = LogCursor()
        let page = [LogEntry(timestamp: "", message: "a"), LogEntry(timestamp: "yesterday", message: "b")]
        #expect(messages(&cursor, page) == ["a", "b"])
        #expect(messages(&cursor, page).isEmpty)
    }

    @Test func `a clock that stands still does not fill the memory`() {
        var cursor = LogCursor()
        let page = (0..<LogCursor.maximumOfOneMoment + 5).map { entry("", "line \($0)") }
        #expect(messages(&cursor, page).count == LogCursor.maximumOfOneMoment)
        #expect(messages(&cursor, [entry("", "new"), entry(".1", "later")]) == ["later"])
    }
}
