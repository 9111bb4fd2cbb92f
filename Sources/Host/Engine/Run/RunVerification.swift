import Domain

/// Looks at the end of a run whether its success criteria hold.
struct RunVerification: Sendable {
    /// How long a check is repeated before it counts as failed: what was deployed a moment ago may still warm up.
    static let patience = Duration.seconds(60)

    let fence: Fence
    let checks: [ExecutionPlan.HealthCheck]
    let scope: ReferenceScope
    let services: EngineServices
    let report: @Sendable (StepEvent) -> Void

    /// Reports lines, and at the end `.concluded` with the first check that does not hold.
    func run() async {
        var failure: ExecutionError?
        for check in checks where failure == nil && !Task.isCancelled { failure = await failureOf(check) }
        if !Task.isCancelled { report(.concluded(failure)) }
    }

    private func failureOf(_ check: ExecutionPlan.HealthCheck) async -> ExecutionError? {
        guard let ports = services.deployment else { return .checkFailed("nothing can be checked on this host", nil) }
        switch check {
        case .http(let template, let status):
            let url: String
            do { url = try scope.render(template) } catch { return .checkFailed("\(error)", template) }
            return await repeated(url) { await ports.probe.http(url, expectedStatus: status, timeout: .seconds(10)) }
        case .database(let template):
            let value: JSON
            do { value = try scope.renderValue(.string(template)) } catch { return .checkFailed("\(error)", template) }
            // Read for each look: the host's own database may be away for a while, too.
            return await repeated("the database") {
                guard let url = await connectionURL(value, ports.vault) else { return .unreadable }
                return await ports.probe.database(url, timeout: .seconds(10))
            }
        }
    }

    private func connectionURL(_ value: JSON, _ vault: any SecretVault) async -> String? {
        guard let reference = SecretReference(value) else { return value.stringValue }
        return try? await vault.values([reference], of: fence.executionID)[reference]
    }

    private func repeated(_ what: String, _ look: () async -> ProbeResult) async -> ExecutionError? {
        let start = services.clock.instant()
        var delay = Duration.milliseconds(200)
        while true {
            let result = await look()
            if result.isHealthy {
                report(.line(.info, step: nil, message: "check passed: \(what)"))
                return nil
            }
            let reason = result.reason ?? "not healthy"
            guard !result.isRefused, services.clock.instant() - start + delay < Self.patience else {
                return .checkFailed(reason, what)
            }
            guard (try? await services.clock.sleep(delay)) != nil else { return nil }
            delay = min(delay * 2, .seconds(5))
        }
    }
}

extension ProbeResult {
    fileprivate static var unreadable: ProbeResult {
        ProbeResult(isHealthy: false, latency: .zero, reason: "the connection string cannot be read")
    }
}

extension ExecutionError {
    fileprivate static func checkFailed(_ reason: String, _ what: String?) -> ExecutionError {
        ExecutionError(
            code: "success_criteria_failed",
            message: "a success criterion does not hold" + (what.map { ": \($0)" } ?? "") + ": \(reason)", step: nil,
            isRetryable: true,
            action: "read the deployment's logs, correct the prompts or the criterion, and start the run again")
    }
}
