import Logging
import Synchronization

/// Keeps what is logged.
struct LogLines: LogHandler {
    private final class Store: Sendable { let lines = Mutex<[String]>([]) }
    private let store = Store()
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace
    var all: [String] { store.lines.withLock { $0 } }

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let line = "\(event.message) \(event.metadata ?? [:])"
        store.lines.withLock { $0.append(line) }
    }
}
