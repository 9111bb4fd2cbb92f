import Metrics
import Synchronization

/// How many connections there are, over both lanes, for the gauges `database_connections_active` and `…_idle`.
final class ConnectionCounts: Sendable {
    private let open = Atomic(0)
    private let active = Atomic(0)
    private let published = Mutex((active: -1, idle: -1))
    private let activeGauge = Gauge(label: "database_connections_active")
    private let idleGauge = Gauge(label: "database_connections_idle")

    func opened() { open.add(1, ordering: .relaxed) }
    func closed() { open.subtract(1, ordering: .relaxed) }
    func began() { active.add(1, ordering: .relaxed) }
    func ended() { active.subtract(1, ordering: .relaxed) }

    /// How many connections carry something out, and how many wait for something.
    var current: (active: Int, idle: Int) {
        let active = active.load(ordering: .relaxed)
        return (active, max(0, open.load(ordering: .relaxed) - active))
    }

    /// Sets the gauges, if something changed. Called once a second: a gauge is a sample.
    func publish() {
        let (active, idle) = current
        published.withLock { published in
            guard published != (active, idle) else { return }
            published = (active, idle)
            activeGauge.record(active)
            idleGauge.record(idle)
        }
    }
}
