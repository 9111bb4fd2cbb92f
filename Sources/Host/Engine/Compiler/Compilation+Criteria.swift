import Domain

extension Compilation {
    private enum HealthCheckKind: String, CaseIterable {
        case httpResponse = "http_response"
        case databaseConnection = "database_connection"
    }

    /// Reads `success_criteria`: the names that must be bound when every step is done, and what is looked at then.
    mutating func readSuccessCriteria(
        _ parts: FieldReader
    ) -> (requiredOutputs: [String], healthChecks: [ExecutionPlan.HealthCheck]) {
        guard let node = parts.member("success_criteria", &findings),
            let fields = FieldReader(
                node, subject: "success_criteria", allowed: ["required_outputs", "health_checks"],
                findings: &findings)
        else { return ([], []) }
        var required: [String] = []
        for (name, place) in fields.strings("required_outputs", &findings)
        where !required.contains(name) && !findings.isFull {
            checkBindable(name, at: place)
            required.append(name)
        }
        var checks: [ExecutionPlan.HealthCheck] = []
        for (index, element) in (fields.array("health_checks", maximum: 20, &findings) ?? []).enumerated() {
            if let check = readHealthCheck(element, number: index + 1) { checks.append(check) }
        }
        return (required, checks)
    }

    private mutating func checkBindable(_ name: String, at place: SourcePlace) {
        if names.steps(named: name).count == 1 || unreadableNames.contains(name) { return }
        if NameTable.executionOutputs.contains(name) {
            // A step that could not be read may be the one that provides it.
            guard names.sources(ofExecutionOutput: name)?.isEmpty == true, unreadableNames.isEmpty else { return }
            findings.add(
                "unknown_output", "required_outputs names \"\(name)\", which no step of this template provides",
                at: place)
        } else {
            findings.add(
                "unknown_output",
                "required_outputs names \"\(name)\", which is no output of a step or of the execution",
                suggestion: Spelling.nearest(to: name, among: names.names + NameTable.executionOutputs), at: place)
        }
    }

    private mutating func readHealthCheck(_ node: SourceNode, number: Int) -> ExecutionPlan.HealthCheck? {
        guard
            let fields = FieldReader(
                node, subject: "health check \(number)",
                allowed: ["type", "url", "expected_status", "connection_string"], findings: &findings)
        else { return nil }
        let kind: HealthCheckKind? = fields.choice("type", required: true, &findings)
        switch kind {
        case .httpResponse:
            let url = fields.string("url", required: true, &findings)
            let status = fields.integer("expected_status", in: 100...599, &findings) ?? 200
            if let url, let place = fields.node["url"]?.place { refuseSecrets(in: url, at: place) }
            return url.map { .http(url: $0, expectedStatus: Int(status)) }
        case .databaseConnection:
            return fields.string("connection_string", required: true, &findings).map {
                .database(connectionString: $0)
            }
        case nil: return nil
        }
    }

    /// Reads `cleanup_on_failure`.
    mutating func readCleanup(_ parts: FieldReader) -> [ExecutionPlan.Cleanup] {
        let known = ExecutionPlan.Cleanup.allCases.map(\.rawValue)
        var cleanup: [ExecutionPlan.Cleanup] = []
        for (name, place) in parts.strings("cleanup_on_failure", &findings) where !findings.isFull {
            guard let action = ExecutionPlan.Cleanup(rawValue: name) else {
                findings.add(
                    "unknown_cleanup", "cleanup_on_failure names \"\(name)\"; it may name \(Spelling.list(known))",
                    suggestion: Spelling.nearest(to: name, among: known), at: place)
                continue
            }
            if !cleanup.contains(action) { cleanup.append(action) }
        }
        return cleanup
    }
}
