import Foundation
import Logging

/// What people read: results on standard output, everything else on standard error.
enum Console {
    static func line(_ text: String = "") { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
    static func error(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    static func logger(_ level: String) -> Logger {
        var logger = Logger(label: "aibackend", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = Logger.Level(rawValue: level) ?? .notice
        return logger
    }
}
