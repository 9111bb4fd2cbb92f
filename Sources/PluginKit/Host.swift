/// How much a log line matters.
public enum LogLevel: Int32, Sendable, Hashable {
    case debug = 1
    case info = 2
    case warning = 3
    case error = 4
}

/// What an instance may use outside any call: the operator's log.
public struct Host: Sendable {
    let table: HostTable

    /// Writes one line to the operator's log. Never put a secret or a user's prompt into it. Any thread.
    public func log(_ level: LogLevel, _ message: String, fields: [String: String] = [:]) {
        table.log(call: 0, level, message, fields)
    }
}
