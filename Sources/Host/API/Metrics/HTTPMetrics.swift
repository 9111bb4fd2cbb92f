import HTTPTypes
import Synchronization

/// Counts requests and their durations by route pattern, so that the number of series depends on the routes and
/// never on what clients send.
final class HTTPMetrics: Sendable {
    private struct Key: Hashable {
        let method: String
        let endpoint: String
        let status: Int
    }

    private struct Entry {
        let requests: PrometheusCounter
        let duration: PrometheusHistogram
    }

    private static let knownMethods: Set<HTTPRequest.Method> = [
        .get, .head, .post, .put, .patch, .delete, .options, .connect, .trace,
    ]

    private let registry: PrometheusRegistry
    private let entries = Mutex<[Key: Entry]>([:])

    init(registry: PrometheusRegistry) { self.registry = registry }

    /// - Parameter endpoint: A route pattern: `/v1/executions/{execution_id}`.
    func record(method: HTTPRequest.Method, endpoint: String, status: Int, duration: Duration) {
        let name = Self.knownMethods.contains(method) ? method.rawValue : "OTHER"
        let entry = entry(Key(method: name, endpoint: endpoint, status: status))
        entry.requests.increment(by: 1.0)
        let (seconds, attoseconds) = duration.components
        entry.duration.record(Double(seconds) + Double(attoseconds) * 1e-18)
    }

    private func entry(_ key: Key) -> Entry {
        entries.withLock { entries in
            if let entry = entries[key] { return entry }
            let route = [("method", key.method), ("endpoint", key.endpoint)]
            let entry = Entry(
                requests: registry.counter("http_requests_total", route + [("status", String(key.status))]),
                duration: registry.histogram("http_request_duration_seconds", route))
            entries[key] = entry
            return entry
        }
    }
}
