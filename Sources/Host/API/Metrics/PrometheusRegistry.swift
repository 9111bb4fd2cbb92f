public import Metrics
import Synchronization

/// The swift-metrics backend behind `/metrics`: counters, gauges and histograms in the Prometheus text format.
///
/// - Two metrics with the same label and dimensions are one series.
/// - A `Timer` is a histogram of seconds, an aggregating `Recorder` a histogram of its own unit, a `Meter` or
///   `Gauge` a gauge.
/// - Memory is bounded: what exceeds the limits, or uses a name for a second type, is not exposed but counted in
///   `metrics_series_dropped_total`.
///
/// Every method may be called from any thread.
public final class PrometheusRegistry: MetricsFactory {
    enum Series {
        case counter(PrometheusCounter)
        case gauge(PrometheusGauge)
        case histogram(PrometheusHistogram)

        var typeName: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }

        var handler: AnyObject {
            switch self {
            case .counter(let handler): handler
            case .gauge(let handler): handler
            case .histogram(let handler): handler
            }
        }
    }

    struct State {
        /// Series by metric name and by label set in the form in which it is exposed.
        var families: [String: [String: Series]] = [:]
        /// Sample names that a histogram takes beside its own: `x_bucket`, `x_sum`, `x_count`.
        var reserved: Set<String> = []
        var dropped: [String: Int] = [:]
    }

    private let state = Mutex(State())
    let help: [String: String]
    private let maximumSeries: Int
    private let maximumMetrics: Int

    /// - Parameters:
    ///   - help: The HELP text of metrics by name.
    ///   - maximumSeries: Label sets of one metric.
    ///   - maximumMetrics: Metric names.
    public init(
        help: [String: String] = PrometheusRegistry.standardHelp, maximumSeries: Int = 1_000,
        maximumMetrics: Int = 500
    ) {
        self.help = help
        self.maximumSeries = maximumSeries
        self.maximumMetrics = maximumMetrics
    }

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        counter(label, dimensions)
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        counter(label, dimensions)
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        gauge(label, dimensions)
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate ? histogram(label, dimensions) : gauge(label, dimensions)
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions, bounds: PrometheusHistogram.secondsBounds)
    }

    public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    public func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    public func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    /// What is registered at this moment; the values in it keep moving.
    func snapshot() -> State { state.withLock { $0 } }
}

extension PrometheusRegistry {
    func counter(_ label: String, _ dimensions: [(String, String)]) -> PrometheusCounter {
        let series = register(label, dimensions) { .counter(PrometheusCounter()) }
        if case .counter(let counter) = series { return counter }
        return PrometheusCounter()
    }

    func gauge(_ label: String, _ dimensions: [(String, String)]) -> PrometheusGauge {
        let series = register(label, dimensions) { .gauge(PrometheusGauge()) }
        if case .gauge(let gauge) = series { return gauge }
        return PrometheusGauge()
    }

    func histogram(
        _ label: String, _ dimensions: [(String, String)], bounds: [Double]? = nil
    ) -> PrometheusHistogram {
        let isSeconds = label.hasSuffix("_seconds")
        let bounds = bounds ?? (isSeconds ? PrometheusHistogram.secondsBounds : PrometheusHistogram.amountBounds)
        let series = register(label, dimensions) { .histogram(PrometheusHistogram(bounds: bounds)) }
        if case .histogram(let histogram) = series { return histogram }
        return PrometheusHistogram(bounds: bounds)
    }

    /// The series of this name and label set, new where it is not there yet; nil where it may not be exposed: the
    /// caller then counts into the void.
    private func register(_ label: String, _ dimensions: [(String, String)], make: () -> Series) -> Series? {
        let name = PrometheusText.metricName(label)
        let labels = PrometheusText.labels(dimensions)
        return state.withLock { state in
            if let existing = state.families[name]?[labels] {
                if existing.typeName == make().typeName { return existing }
                state.dropped[name, default: 0] += 1
                return nil
            }
            let new = make()
            guard isAdmissible(new, as: name, in: state) else {
                state.dropped[state.families[name] == nil ? "*" : name, default: 0] += 1
                return nil
            }
            if case .histogram = new { state.reserved.formUnion(Self.sampleNames(of: name)) }
            state.families[name, default: [:]][labels] = new
            return new
        }
    }

    private func isAdmissible(_ series: Series, as name: String, in state: State) -> Bool {
        if let family = state.families[name], let other = family.values.first {
            return other.typeName == series.typeName && family.count < maximumSeries
        }
        guard state.families.count < maximumMetrics, !state.reserved.contains(name),
            name != PrometheusText.droppedMetric
        else { return false }
        guard case .histogram = series else { return true }
        return Self.sampleNames(of: name).allSatisfy { state.families[$0] == nil }
    }

    private static func sampleNames(of histogram: String) -> [String] {
        ["_bucket", "_sum", "_count"].map { histogram + $0 }
    }

    private func remove(_ handler: AnyObject) {
        state.withLock { state in
            for (name, family) in state.families {
                guard let labels = family.first(where: { $0.value.handler === handler })?.key else { continue }
                state.families[name]?[labels] = nil
                guard state.families[name]?.isEmpty == true else { return }
                state.families[name] = nil
                state.reserved.subtract(Self.sampleNames(of: name))
                return
            }
        }
    }
}
