import PluginKit

/// One entry of a log.
struct LogEntry: Sendable, Hashable {
    /// RFC 3339 with up to nine digits of a second's fraction.
    let timestamp: String
    let message: String
    /// The same comparable as text: the fraction filled up to nine digits.
    fileprivate let moment: String

    init(timestamp: String, message: String) {
        self.timestamp = timestamp
        self.message = message
        moment = Self.moment(of: timestamp)
    }

    private static func moment(of timestamp: String) -> String {
        guard timestamp.hasSuffix("Z") else { return timestamp }
        let parts = timestamp.dropLast().split(separator: ".", maxSplits: 1)
        guard let seconds = parts.first else { return timestamp }
        let fraction = parts.count == 2 ? parts[1] : ""
        return "\(seconds).\(fraction)\(String(repeating: "0", count: max(0, 9 - fraction.count)))"
    }
}

/// How far a log was read. Pages overlap at the last moment read, where more entries may have come in since.
struct LogCursor: Sendable, Hashable {
    /// Messages of one moment that are remembered; a clock that stands still does not fill the memory.
    static let maximumOfOneMoment = 10_000

    /// Where the next page begins; nil at the log's beginning.
    private(set) var position: String?
    private var moment = ""
    /// How often each message was read at that moment.
    private var read: [String: Int] = [:]

    /// The entries of a page that were not read before, in their order.
    mutating func take(_ page: [LogEntry]) -> [LogEntry] {
        var known = read
        var fresh: [LogEntry] = []
        // A stable order: entries of one moment stay as the server has them.
        for (_, entry) in page.enumerated().sorted(by: { ($0.1.moment, $0.0) < ($1.1.moment, $1.0) }) {
            guard position != nil else {
                advance(to: entry)
                fresh.append(entry)
                continue
            }
            if entry.moment < moment { continue }
            if entry.moment == moment {
                if let count = known[entry.message], count > 0 {
                    known[entry.message] = count - 1
                    continue
                }
                if read.count >= Self.maximumOfOneMoment { continue }
            } else {
                known = [:]
            }
            advance(to: entry)
            fresh.append(entry)
        }
        return fresh
    }

    private mutating func advance(to entry: LogEntry) {
        if entry.moment != moment || position == nil {
            (position, moment, read) = (entry.timestamp, entry.moment, [:])
        }
        read[entry.message, default: 0] += 1
    }
}
