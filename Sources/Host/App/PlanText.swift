import Domain
import Engine

/// A run's plan and price as a person reads them.
enum PlanText {
    static func text(of estimate: RunEstimate, template: Template) -> String {
        var lines = ["\(template.slug) \(template.version): \(template.name)", ""]
        let rows = estimate.steps.map { row($0) }
        let header = ["step", "name", "does", "after", "probably", "at most", "minutes"]
        let table = [header] + rows
        let widths = header.indices.map { column in table.map { $0[column].count }.max() ?? 0 }
        for row in table {
            let cells = row.indices.map { column -> String in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return column >= 4 ? padding + row[column] : row[column] + padding
            }
            lines.append("  " + cells.joined(separator: "  "))
        }
        lines += [
            "",
            "  AI providers: probably \(rounded(estimate.total.likely)) USD, at most "
                + "\(rounded(estimate.total.atMost)) USD for one attempt at each step",
        ]
        if let minutes = template.estimatedMinutes { lines.append("  the template expects \(minutes) minutes") }
        let checks = template.plan.healthChecks.count
        let outputs = template.plan.requiredOutputs.joined(separator: ", ")
        if !outputs.isEmpty { lines.append("  must give: \(outputs)") }
        if checks > 0 { lines.append("  health checks at the end: \(checks)") }
        let cleanup = template.plan.cleanup.map(\.rawValue).joined(separator: ", ")
        if !cleanup.isEmpty { lines.append("  undone where the run fails: \(cleanup)") }
        return lines.joined(separator: "\n")
    }

    private static func row(_ step: RunEstimate.Step) -> [String] {
        [
            step.id, step.name + (step.isOptional ? " (optional)" : ""), step.service,
            step.dependencies.isEmpty ? "-" : step.dependencies.joined(separator: ", "),
            step.price.map { rounded($0.likely) } ?? "-", step.price.map { rounded($0.atMost) } ?? "-",
            minutes(step.timeout),
        ]
    }

    /// A hundredth of a cent is as much as an estimate can know.
    private static func rounded(_ money: Money) -> String {
        let unit: Int64 = 100_000_000
        let hundredths = (money.picoDollars + unit / 2) / unit
        let fraction = "\(hundredths % 10_000)"
        return "\(hundredths / 10_000)." + String(repeating: "0", count: 4 - fraction.count) + fraction
    }

    private static func minutes(_ duration: Duration) -> String {
        let tenths = (duration.components.seconds + 3) / 6
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}
