import Metrics
import Synchronization

/// A total that only grows.
final class PrometheusCounter: CounterHandler, FloatingPointCounterHandler {
    private let total = Mutex(0.0)

    var value: Double { total.withLock { $0 } }

    func increment(by amount: Int64) { increment(by: Double(amount)) }

    /// A negative or infinite amount is a bug of the caller and changes nothing.
    func increment(by amount: Double) {
        guard amount > 0, amount.isFinite else { return }
        total.withLock { $0 += amount }
    }

    func reset() { total.withLock { $0 = 0 } }
}

/// A value that goes up and down.
final class PrometheusGauge: MeterHandler, RecorderHandler {
    private let current = Mutex(0.0)

    var value: Double { current.withLock { $0 } }

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { current.withLock { $0 = value } }
    func increment(by amount: Double) { current.withLock { $0 += amount } }
    func decrement(by amount: Double) { current.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
}

/// A distribution over fixed buckets.
final class PrometheusHistogram: TimerHandler, RecorderHandler {
    /// Seconds from a fast read to a long AI call.
    static let secondsBounds = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
    ]
    /// Counts and sizes.
    static let amountBounds: [Double] = [
        1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 100_000, 1_000_000, 10_000_000,
    ]

    struct Distribution {
        /// How many values fell into each bucket and no lower one; the last has no upper bound.
        var counts: [UInt64]
        var sum = 0.0
    }

    /// The upper bounds of the buckets, ascending and inclusive.
    let bounds: [Double]
    private let distribution: Mutex<Distribution>

    init(bounds: [Double]) {
        self.bounds = bounds
        distribution = Mutex(Distribution(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    var value: Distribution { distribution.withLock { $0 } }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1_000_000_000) }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard !value.isNaN else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        distribution.withLock { distribution in
            distribution.counts[bucket] += 1
            distribution.sum += value
        }
    }
}
