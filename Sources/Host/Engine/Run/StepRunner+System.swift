import Domain
import Synchronization

extension StepRunner {
    /// Carries out a system step. Where its route has an effect, the intent is durable first, and what became of an
    /// earlier attempt is looked up before there is another.
    func runSystem(_ action: SystemAction) async throws(StepStop) -> (output: JSON, attempts: Int) {
        let route = try route()
        if isResumed { try await countBeginning() }
        let parameters = try rendered { try scope.renderValue(action.parameters) }
        let command = SystemCommand(rawValue: action.command)
        let work = SystemWork(
            route: route, command: command, parameters: parameters, request: request(command, parameters),
            effect: effect(action, route, request: request(command, parameters)))
        // What an attempt that was cut off or answered with an error did is not known.
        let mayHaveHappened = Mutex(pastEffect.map { $0.state == .intended || $0.state == .done } ?? false)
        let log = command == .deployApplication ? DeploymentLog(of: self) : nil
        return try await attempts { number throws(StepFailure) in
            let deadline = services.clock.instant() + step.timeout
            if let effect = work.effect { try await intend(effect) }
            var result: JSON?
            if mayHaveHappened.withLock({ $0 }) { result = try await lookUp(work, attempt: number) }
            mayHaveHappened.withLock { $0 = work.effect != nil }
            let done: JSON
            if let result {
                line(.info, "found done already")
                done = result
            } else {
                done = try await carryOut(work, attempt: number, log: log)
            }
            return try await conclude(work, done, by: deadline, log: log)
        }
    }

    /// A step that earlier owners may have begun is counted before anybody is asked: one that takes its host down each
    /// time would otherwise do so for ever. Nothing of the kind is written while nothing has happened to a run.
    private func countBeginning() async throws(StepStop) {
        do throws(StepFailure) {
            let outcome = try await durably { () throws(LedgerError) in
                try await services.ledger.begin(again: step.id, count: lostAttempts + 1, fence: fence)
            }
            guard outcome != .fenced else { throw .stop(.fenced) }
        } catch {
            switch error {
            case .stop(let reason): throw .interrupted(reason)
            case .provider(let failure): throw .failed(failure.clientError(step: step, attempts: 1), attempts: 0)
            case .answer(let failure, _), .passing(let failure): throw .failed(failure, attempts: 0)
            }
        }
    }

    /// What the provider is asked, apart from what only this attempt knows. It has no secret.
    private func request(_ command: SystemCommand?, _ parameters: JSON) -> JSON {
        var request: JSON = ["application": application.json, "parameters": parameters.withoutFileContents]
        switch command {
        case .createDeploymentConfig: request.set("source_paths", .array(sourcePaths.map { .string($0) }))
        case .deployApplication:
            request.set("health_check_path", .string(healthCheckPath))
            request.set("start_command", startCommand.map { .string($0) } ?? .null)
        case .setupDatabase, .setupDomain, .setupMonitoring, nil: break
        }
        return request
    }

    private func effect(_ action: SystemAction, _ route: Route, request: JSON) -> Effect? {
        guard route.hasEffect else { return nil }
        return pastEffect
            ?? Effect(
                key: idempotencyKey, stepID: step.id, command: action.command, provider: action.provider,
                pluginID: route.pluginID, request: request, state: .intended)
    }

    private func intend(_ effect: Effect) async throws(StepFailure) {
        let intent = effect.becoming(.intended)
        let outcome = try await durably { () throws(LedgerError) in
            try await services.ledger.intend(intent, fence: fence)
        }
        guard outcome != .fenced else { throw .stop(.fenced) }
        report(.effect(intent))
    }

    /// The result of an effect that happened already; nil where it did not, or where nobody can tell.
    private func lookUp(_ work: SystemWork, attempt: Int) async throws(StepFailure) -> JSON? {
        guard let operation = work.route.lookup, let effect = work.effect else { return nil }
        let input = effect.inquiry
        do throws(ProviderError) {
            let answer = try await invoke(
                work.route.operation(operation), UUIDv7(at: services.clock.wall.now()), input: input, attempt: attempt
            ) { _ in }
            guard answer["found"] == true, let result = answer["result"], !result.isNull else { return nil }
            return result
        } catch { throw StepFailure(error) }
    }

    private func carryOut(
        _ work: SystemWork, attempt: Int, log: DeploymentLog?
    ) async throws(StepFailure) -> JSON {
        var input = work.request
        if work.command == .deployApplication { try await addSource(to: &input) }
        let secrets = try await values(of: input.secretReferences)
        log?.begin(input: input)
        do throws(ProviderError) {
            return try await invoke(
                work.route, UUIDv7(at: services.clock.wall.now()), input: input, attempt: attempt, secrets: secrets
            ) { chunk in
                if case .log(let stream, let text) = chunk { log?.append(text, to: stream) }
            }
        } catch {
            log?.fail()
            throw failure(error, log: log)
        }
    }

    /// Takes in what the provider answered: what it made is on record, secrets are in the vault, and the step's own
    /// part is done.
    private func conclude(
        _ work: SystemWork, _ answer: JSON, by deadline: Duration, log: DeploymentLog?
    ) async throws(StepFailure) -> JSON {
        let result = SystemResult(answer)
        if let effect = work.effect {
            // Whatever else is wrong with the answer: it was done.
            report(.effect(effect.becoming(.done, resource: result.resource)))
        }
        if let fault = result.fault(of: work.command) {
            log?.fail()
            throw .provider(.invalidResult(work, fault))
        }
        var output = result.output
        for (key, value) in result.secrets {
            guard let vault = services.deployment?.vault else { throw .provider(.notDeploying) }
            let reference = try await durably { () throws(LedgerError) in
                try await vault.replace(value, as: "\(step.slug).\(key)", of: fence.executionID)
            }
            output[key] = reference.json
        }
        switch work.command {
        case .setupDatabase: try await installSchema(work.parameters["schema"], output["database_url"], by: deadline)
        case .deployApplication: try await finishDeployment(work, &output, by: deadline, log: log)
        case .createDeploymentConfig, .setupDomain, .setupMonitoring, nil: break
        }
        return .object(output)
    }

    /// Installs the schema that an AI step designed, where it did.
    private func installSchema(
        _ schema: JSON?, _ url: JSON?, by deadline: Duration
    ) async throws(StepFailure) {
        guard let sql = schema?.stringValue, !sql.allSatisfy(\.isWhitespace), let services = services.deployment,
            let reference = url.flatMap({ SecretReference($0) }),
            let value = try await values(of: [reference])[reference.id.description]
        else { return }
        do throws(ApplicationDatabaseError) {
            let remaining = deadline - self.services.clock.instant()
            try await services.schemas.install(sql, at: value, timeout: max(.seconds(1), remaining))
            line(.info, "the schema is installed")
        } catch {
            if error.isRetryable { throw .passing(.schemaNotInstalled(error.message, step: step.name)) }
            throw .answer(.schemaRefused(error.message, step: step.name), mayRetry: false)
        }
    }

    func values(of references: [SecretReference]) async throws(StepFailure) -> [String: String] {
        guard !references.isEmpty else { return [:] }
        guard let vault = services.deployment?.vault else { throw .provider(.notDeploying) }
        let values = try await durably { () throws(LedgerError) in
            try await vault.values(references, of: fence.executionID)
        }
        guard references.allSatisfy({ values[$0] != nil }) else {
            throw .provider(ProviderError(.internal, "a secret of the execution is gone from the vault"))
        }
        return Dictionary(values.map { ($0.key.id.description, $0.value) }) { first, _ in first }
    }
}

extension ProviderError {
    static var notDeploying: ProviderError {
        ProviderError(.internal, "this engine was given no ports for deployments")
    }
}

extension ExecutionError {
    fileprivate static func schemaNotInstalled(_ reason: String, step: String) -> ExecutionError {
        ExecutionError(
            code: "database_failed", message: "the database was made, but is of no use: \(reason)", step: step,
            isRetryable: true, action: "start the run again; if it persists, ask the operator")
    }

    fileprivate static func schemaRefused(_ reason: String, step: String) -> ExecutionError {
        ExecutionError(
            code: "schema_refused", message: "the database refused the schema: \(reason)", step: step,
            isRetryable: true,
            action: "start the run again; if it persists, make the prompt that asks for the schema more precise")
    }
}
