import Domain

extension Compilation {
    /// What `cleanup_on_failure` may name.
    static let cleanups = ["delete_deployment", "cleanup_database", "remove_domain_records"]

    private enum HealthCheckKind: String, CaseIterable {
        case httpResponse = "http_response"
        case databaseConnection = "database_connection"
    }

    /// Reads `success_criteria`; the names that must be bound when every step is done.
    mutating func readSuccessCriteria(_ parts: FieldReader) -> [String] {
        guard let node = parts.member("success_criteria", &findings),
            let fields = FieldReader(
                node, subject: "success_criteria", allowed: ["required_outputs", "health_checks"],
                findings: &findings)
        else { return [] }
        var required: [String] = []
        for (name, place) in fields.strings("required_outputs", &findings)
        where !required.contains(name) && !findings.isFull {
            checkBindable(name, at: place)
            required.append(name)
        }
        for (index, element) in (fields.array("health_checks", &findings) ?? []).enumerated() {
            readHealthCheck(element, number: index + 1)
        }
        return required
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

    private mutating func readHealthCheck(_ node: SourceNode, number: Int) {
        guard
            let fields = FieldReader(
                node, subject: "health check \(number)",
                allowed: ["type", "url", "expected_status", "connection_string"], findings: &findings)
        else { return }
        let kind: HealthCheckKind? = fields.choice("type", required: true, &findings)
        switch kind {
        case .httpResponse:
            _ = fields.string("url", required: true, &findings)
            _ = fields.integer("expected_status", in: 100...599, &findings)
        case .databaseConnection: _ = fields.string("connection_string", required: true, &findings)
        case nil: break
        }
    }

    mutating func readCleanup(_ parts: FieldReader) {
        for (name, place) in parts.strings("cleanup_on_failure", &findings)
        where !Self.cleanups.contains(name) && !findings.isFull {
            findings.add(
                "unknown_cleanup",
                "cleanup_on_failure names \"\(name)\"; it may name \(Spelling.list(Self.cleanups))",
                suggestion: Spelling.nearest(to: name, among: Self.cleanups), at: place)
        }
    }
}
