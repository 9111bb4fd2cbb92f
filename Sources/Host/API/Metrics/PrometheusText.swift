/// The Prometheus text exposition format, version 0.0.4.
enum PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"
    /// Counts the series that the registry's limits kept out, by metric.
    static let droppedMetric = "metrics_series_dropped_total"

    /// The name with what the format forbids replaced: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    static func metricName(_ name: String) -> String { sanitized(name, allowsColon: true) }

    /// The label set as it stands between the braces, sorted by name; of a name given twice the first counts.
    static func labels(_ dimensions: [(String, String)]) -> String {
        var seen: Set<String> = []
        var pairs: [(name: String, value: String)] = []
        for (name, value) in dimensions {
            var name = sanitized(name, allowsColon: false)
            // `le` belongs to histograms, a leading `__` to Prometheus itself.
            if name == "le" || name.hasPrefix("__") { name = "label_" + name }
            if seen.insert(name).inserted { pairs.append((name, value)) }
        }
        pairs.sort { $0.name < $1.name }
        return pairs.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }.joined(separator: ",")
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), value.magnitude < 1e15 { return String(Int64(value)) }
        return value.description
    }

    static func escaped(_ text: String, quotes: Bool) -> String {
        guard text.utf8.contains(where: { $0 == 0x5C || $0 == 0x22 || $0 == 0x0A }) else { return text }
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\"" where quotes: output += "\\\""
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }

    private static func sanitized(_ name: String, allowsColon: Bool) -> String {
        var output = ""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "_": output.unicodeScalars.append(scalar)
            case "0"..."9":
                if output.isEmpty { output += "_" }
                output.unicodeScalars.append(scalar)
            case ":" where allowsColon: output += ":"
            default: output += "_"
            }
        }
        return output.isEmpty ? "_" : output
    }
}
