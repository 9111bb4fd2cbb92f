extension PrometheusRegistry {
    /// Every metric in the Prometheus text format, sorted by name and labels.
    public func exposition() -> String {
        let state = snapshot()
        var output = ""
        for (name, family) in state.families.sorted(by: { $0.key < $1.key }) {
            guard let type = family.values.first?.typeName else { continue }
            writeHeader(name, type: type, into: &output)
            for (labels, series) in family.sorted(by: { $0.key < $1.key }) {
                Self.write(series, name: name, labels: labels, into: &output)
            }
        }
        if !state.dropped.isEmpty {
            writeHeader(PrometheusText.droppedMetric, type: "counter", into: &output)
            for (name, count) in state.dropped.sorted(by: { $0.key < $1.key }) {
                let labels = PrometheusText.labels([("metric", name)])
                Self.sample(PrometheusText.droppedMetric, labels, String(count), into: &output)
            }
        }
        return output
    }

    private func writeHeader(_ name: String, type: String, into output: inout String) {
        if let text = help[name] {
            output += "# HELP \(name) \(PrometheusText.escaped(text, quotes: false))\n"
        }
        output += "# TYPE \(name) \(type)\n"
    }

    private static func write(_ series: Series, name: String, labels: String, into output: inout String) {
        switch series {
        case .counter(let counter): sample(name, labels, PrometheusText.number(counter.value), into: &output)
        case .gauge(let gauge): sample(name, labels, PrometheusText.number(gauge.value), into: &output)
        case .histogram(let histogram):
            let value = histogram.value
            let prefix = labels.isEmpty ? "" : labels + ","
            var total: UInt64 = 0
            for (bound, count) in zip(histogram.bounds + [.infinity], value.counts) {
                total += count
                let bucket = "\(prefix)le=\"\(PrometheusText.number(bound))\""
                sample(name + "_bucket", bucket, String(total), into: &output)
            }
            sample(name + "_sum", labels, PrometheusText.number(value.sum), into: &output)
            sample(name + "_count", labels, String(total), into: &output)
        }
    }

    private static func sample(_ name: String, _ labels: String, _ value: String, into output: inout String) {
        output += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }
}
