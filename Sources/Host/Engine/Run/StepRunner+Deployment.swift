import Domain
import Logging

extension StepRunner {
    private static let emailDomain = "example"

    /// The paths of everything that finished steps have written.
    var sourcePaths: [String] { Set(scope.outputs.values.flatMap(\.filePaths)).sorted() }
    var startCommand: String? { deploymentConfiguration["start_command"]?.stringValue }
    /// Anything else behind an address would be another address.
    var healthCheckPath: String {
        guard let path = deploymentConfiguration["health_check_path"]?.stringValue, path.hasPrefix("/") else {
            return "/health"
        }
        return path
    }

    /// Adds the packed source and the application's environment.
    func addSource(to input: inout JSON) async throws(StepFailure) {
        guard let ports = services.deployment else { throw .provider(.notDeploying) }
        let archive: SourceArchive
        do { archive = try await ports.archives.archive(of: fence.executionID) } catch {
            guard error.code != .unavailable else {
                throw .provider(ProviderError(.internal, error.message, isRetryable: true))
            }
            throw .answer(.sourceUnusable(error, step: step.name), mayRetry: false)
        }
        for remark in archive.remarks { line(.warning, remark) }
        line(.info, "packed \(archive.paths.count) files, \(archive.bytes) bytes")
        input.set(
            "source",
            [
                "blob": .string(archive.digest), "bytes": .integer(Int64(archive.bytes)),
                "paths": .array(archive.paths.map { .string($0) }),
            ])
        let credentials = try await credentials(ports)
        var variables: JSON = [
            "ADMIN_EMAIL": credentials["email"] ?? .null, "ADMIN_PASSWORD": credentials["password"] ?? .null,
        ]
        if let database = scope.outputs["database_url"] { variables.set("DATABASE_URL", database) }
        input.set("variables", variables)
    }

    /// The application's first sign-in: made once an execution, whatever is repeated.
    private func credentials(_ ports: DeploymentPorts) async throws(StepFailure) -> JSON {
        let password = try await durably { () throws(LedgerError) in
            try await ports.vault.keep(ports.password(), as: "admin_password", of: fence.executionID)
        }
        return ["email": .string("admin@\(application.name).\(Self.emailDomain)"), "password": password.json]
    }

    /// Waits until the application answers, and adds what its owner signs in with.
    func finishDeployment(
        _ work: SystemWork, _ output: inout JSONObject, by deadline: Duration, log: DeploymentLog?
    ) async throws(StepFailure) {
        guard let ports = services.deployment else { throw .provider(.notDeploying) }
        guard let url = output["app_url"]?.stringValue else { throw .provider(.invalidResult(work, "no app_url")) }
        log?.found(url: url, providerID: output["deployment_id"]?.stringValue)
        line(.info, "deployed at \(url); waiting for \(healthCheckPath)")
        do { try await waitUntilHealthy(url, ports.probe, by: deadline, log: log) } catch {
            log?.fail()
            throw error
        }
        output["admin_credentials"] = try await credentials(ports)
        log?.succeed()
        line(.info, "the application is healthy")
    }

    private func waitUntilHealthy(
        _ url: String, _ probe: any HealthProbe, by deadline: Duration, log: DeploymentLog?
    ) async throws(StepFailure) {
        let clock = services.clock
        var delay = Duration.milliseconds(100)
        let address = url.droppingTrailingSlashes + healthCheckPath
        while true {
            // One look is made, however late it is.
            let patience = min(.seconds(10), max(.seconds(1), deadline - clock.instant()))
            let result = await probe.http(address, expectedStatus: 200, timeout: patience)
            if result.isHealthy { return }
            if Task.isCancelled { throw .stop(.stopped) }
            guard !result.isRefused, clock.instant() + delay < deadline else {
                throw .answer(
                    .unhealthy(address, result.reason ?? "no answer", lastLine: log?.lastLine, step: step),
                    mayRetry: false)
            }
            do { try await clock.sleep(delay) } catch { throw .stop(.stopped) }
            delay = min(delay * 2, .seconds(5))
        }
    }

    /// A provider's failure in the words of what was to be done. Of a deployment's own log the owner may know.
    func failure(_ error: ProviderError, log: DeploymentLog?) -> StepFailure {
        guard log != nil, error.code == .upstream, !error.isRetryable else { return StepFailure(error) }
        services.logger.warning(
            "deployment failed",
            metadata: ["execution": "\(fence.executionID)", "step": "\(step.id)", "error": "\(error)"])
        return .answer(.deploymentFailed(lastLine: log?.lastLine, step: step), mayRetry: false)
    }
}

extension ExecutionError {
    fileprivate static func sourceUnusable(_ error: SourceError, step: String) -> ExecutionError {
        ExecutionError(
            code: error.code == .empty ? "nothing_to_deploy" : "source_conflict",
            message: "the generated files cannot be deployed: \(error.message)", step: step, isRetryable: true,
            action: "start the run again, or make the prompts say which step writes which files")
    }

    fileprivate static func deploymentFailed(lastLine: String?, step: PlannedStep) -> ExecutionError {
        ExecutionError(
            code: "deployment_failed",
            message: "the application could not be deployed to \"\(step.routeKey.providerName)\""
                + (lastLine.map { "; its log ends with: \($0)" } ?? ""),
            step: step.name, isRetryable: true,
            action: "read the deployment's build and deploy logs, correct the prompts, and start the run again")
    }

    fileprivate static func unhealthy(
        _ url: String, _ reason: String, lastLine: String?, step: PlannedStep
    ) -> ExecutionError {
        ExecutionError(
            code: "deployment_unhealthy",
            message: "the application was deployed, but \(url) did not answer with status 200 within "
                + "\(step.timeout.inMinutes) minutes: \(reason)"
                + (lastLine.map { "; its log ends with: \($0)" } ?? ""),
            step: step.name, isRetryable: true,
            action: "read the deployment's logs; the application must listen on PORT and answer GET /health")
    }
}
