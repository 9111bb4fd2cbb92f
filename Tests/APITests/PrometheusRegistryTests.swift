import Metrics
import Testing

@testable import API

@Suite struct PrometheusRegistryTests {
    @Test func exposesEachKind() {
        let registry = PrometheusRegistry(help: ["jobs_total": "Jobs \\ done\nso far."])
        Counter(label: "jobs_total", dimensions: [("kind", "b")], factory: registry).increment(by: 2)
        Counter(label: "jobs_total", dimensions: [("kind", "a")], factory: registry).increment()
        FloatingPointCounter(label: "joules_total", factory: registry).increment(by: 0.25)
        let gauge = Gauge(label: "connections", factory: registry)
        gauge.record(7)
        let meter = Meter(label: "level", factory: registry)
        meter.set(3.5)
        meter.decrement(by: 1.0)
        #expect(
            registry.exposition() == #"""
                # TYPE connections gauge
                connections 7
                # HELP jobs_total Jobs \\ done\nso far.
                # TYPE jobs_total counter
                jobs_total{kind="a"} 1
                jobs_total{kind="b"} 2
                # TYPE joules_total counter
                joules_total 0.25
                # TYPE level gauge
                level 2.5

                """#)
    }

    @Test func aTimerIsACumulativeHistogramOfSeconds() {
        let registry = PrometheusRegistry()
        let timer = Timer(label: "call_seconds", dimensions: [("to", "x")], factory: registry)
        timer.recordMilliseconds(1)
        timer.recordMilliseconds(40)
        timer.recordSeconds(3_600)
        let lines = registry.exposition().split(separator: "\n").map(String.init)
        #expect(lines.first == "# TYPE call_seconds histogram")
        #expect(lines.contains(#"call_seconds_bucket{to="x",le="0.0005"} 0"#))
        #expect(lines.contains(#"call_seconds_bucket{to="x",le="0.001"} 1"#))
        #expect(lines.contains(#"call_seconds_bucket{to="x",le="0.05"} 2"#))
        #expect(lines.contains(#"call_seconds_bucket{to="x",le="600"} 2"#))
        #expect(
            lines.suffix(3) == [
                #"call_seconds_bucket{to="x",le="+Inf"} 3"#, #"call_seconds_sum{to="x"} 3600.041"#,
                #"call_seconds_count{to="x"} 3"#,
            ])
    }

    @Test func anAggregatingRecorderIsAHistogramOfItsUnit() {
        let registry = PrometheusRegistry()
        Recorder(label: "batch_size", factory: registry).record(40)
        let text = registry.exposition()
        #expect(text.contains("batch_size_bucket{le=\"25\"} 0\nbatch_size_bucket{le=\"50\"} 1\n"))
    }

    @Test func theSameLabelAndDimensionsAreOneSeries() {
        let registry = PrometheusRegistry()
        Counter(label: "c", dimensions: [("a", "1"), ("b", "2")], factory: registry).increment()
        Counter(label: "c", dimensions: [("b", "2"), ("a", "1")], factory: registry).increment()
        #expect(registry.exposition() == "# TYPE c counter\nc{a=\"1\",b=\"2\"} 2\n")
    }

    @Test func seriesAreBoundedAndTheRestIsCounted() {
        let registry = PrometheusRegistry(help: [:], maximumSeries: 2, maximumMetrics: 2)
        for number in 0..<5 {
            Counter(label: "c", dimensions: [("n", "\(number)")], factory: registry).increment()
        }
        for name in ["d", "e", "f"] { Counter(label: name, factory: registry).increment() }
        #expect(
            registry.exposition() == """
                # TYPE c counter
                c{n="0"} 1
                c{n="1"} 1
                # TYPE d counter
                d 1
                # TYPE metrics_series_dropped_total counter
                metrics_series_dropped_total{metric="*"} 2
                metrics_series_dropped_total{metric="c"} 3

                """)
    }

    @Test func aNameHasOneType() {
        let registry = PrometheusRegistry(help: [:])
        Counter(label: "x", factory: registry).increment()
        Gauge(label: "x", factory: registry).record(5)
        Gauge(label: "x", dimensions: [("a", "b")], factory: registry).record(5)
        Timer(label: "y", factory: registry).recordSeconds(1)
        Counter(label: "y_count", factory: registry).increment()
        Counter(label: "z_sum", factory: registry).increment()
        Timer(label: "z", factory: registry).recordSeconds(1)
        let text = registry.exposition()
        #expect(text.contains("# TYPE x counter\nx 1\n#"))
        #expect(!text.contains("TYPE y_count"))
        #expect(!text.contains("TYPE z histogram"))
        #expect(text.contains("metrics_series_dropped_total{metric=\"x\"} 2\n"))
        #expect(text.contains("metrics_series_dropped_total{metric=\"*\"} 2\n"))
    }

    @Test func destroyedSeriesAreGone() {
        let registry = PrometheusRegistry()
        let gauge = Gauge(label: "g", dimensions: [("a", "1")], factory: registry)
        let timer = Timer(label: "t", factory: registry)
        gauge.record(1)
        timer.recordSeconds(1)
        gauge.destroy()
        timer.destroy()
        #expect(registry.exposition() == "")
        Counter(label: "t_count", factory: registry).increment()
        #expect(registry.exposition() == "# TYPE t_count counter\nt_count 1\n")
    }

    @Test func namesAndLabelsAreMadeValid() {
        let registry = PrometheusRegistry()
        let dimensions = [("http.route", "a\"b\\c\nd"), ("le", "1"), ("__name__", "x"), ("2nd", "é"), ("le", "2")]
        Counter(label: "http.server:requests-total", dimensions: dimensions, factory: registry).increment()
        #expect(
            registry.exposition() == #"""
                # TYPE http_server:requests_total counter
                http_server:requests_total{_2nd="é",http_route="a\"b\\c\nd",label___name__="x",label_le="1"} 1

                """#)
    }

    @Test func numbersAreWrittenAsPrometheusReadsThem() {
        let expected: [(Double, String)] = [
            (0, "0"), (-3, "-3"), (0.1, "0.1"), (1e20, "1e+20"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
            (.nan, "NaN"), (123_456_789, "123456789"),
        ]
        for (value, text) in expected { #expect(PrometheusText.number(value) == text) }
    }

    @Test func countersOnlyGrow() {
        let registry = PrometheusRegistry()
        let counter = registry.counter("c", [])
        counter.increment(by: Int64(5))
        counter.increment(by: Int64(-3))
        counter.increment(by: Double.infinity)
        counter.increment(by: Double.nan)
        #expect(counter.value == 5)
    }

    @Test func noIncrementIsLostUnderConcurrency() async {
        let registry = PrometheusRegistry()
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1_000 { Counter(label: "c", factory: registry).increment() }
                }
            }
        }
        #expect(registry.exposition() == "# TYPE c counter\nc 8000\n")
    }
}
