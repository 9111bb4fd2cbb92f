import Domain
import Logging
import Metrics
import Synchronization

/// Carries out one step of a run: renders its references, calls its provider, tries again where that can help.
struct StepRunner: Sendable {
    let index: Int
    let step: PlannedStep
    let fence: Fence
    let userID: UUIDv7
    let scope: ReferenceScope
    /// Results the step depends on, by the name it knows them under.
    let context: [(name: String, value: JSON)]
    /// Attempts that earlier owners of the run made.
    let pastAttempts: Int
    /// Those of them that were cut off with their host: calls of which nobody knows more, or how often owners that came
    /// later have begun a system step again.
    let lostAttempts: Int
    /// Whether an earlier owner may have begun it.
    let isResumed: Bool
    let application: ApplicationIdentity
    /// What an earlier attempt at this step began, on this host or another.
    let pastEffect: Effect?
    /// What `create_deployment_config` decided; null where the template has no such step.
    let deploymentConfiguration: JSON
    let services: EngineServices
    let lease: WorkerLease
    let report: @Sendable (StepEvent) -> Void

    func run() async {
        let startedAt = services.clock.wall.now()
        do throws(StepStop) {
            // A step that takes its host down each time would otherwise do so for ever, at a call's price each.
            guard lostAttempts < Self.maximumLostAttempts else { throw .failed(.hostLost(step.name), attempts: 0) }
            let (output, attempts) =
                switch step.action {
                case .ai(let action): try await runAI(action)
                case .system(let action): try await runSystem(action)
                }
            finish(.succeeded, output: output, error: nil, attempts: attempts, startedAt: startedAt)
        } catch {
            switch error {
            case .interrupted(let reason): report(.interrupted(index, reason))
            case .skipped(let reason):
                line(.info, "skipped: \(reason)")
                finish(.skipped, output: .null, error: nil, attempts: 0, startedAt: startedAt)
            case .failed(let failure, let attempts):
                // The run's own error says what to do; of an optional step nothing else does.
                let advice = step.isOptional ? "; \(failure.action)" : ""
                line(step.isOptional ? .warning : .error, "failed: \(failure.message)\(advice)")
                finish(
                    step.isOptional ? .failedOptional : .failed, output: .null, error: failure, attempts: attempts,
                    startedAt: startedAt)
            }
        }
    }

    /// Attempts that may end with their host before the step counts as failed.
    static let maximumLostAttempts = 5

    /// Why a step has no output.
    enum StepStop: Error {
        case failed(ExecutionError, attempts: Int)
        case skipped(String)
        case interrupted(RunInterruption)
    }

    func line(_ level: LogLine.Level, _ message: String) {
        report(.line(level, step: step.name, message: message))
    }

    private func finish(
        _ state: StepState, output: JSON, error: ExecutionError?, attempts: Int, startedAt: Timestamp
    ) {
        report(
            .ended(
                index,
                StepRecord(
                    stepID: step.id, name: step.name, state: state, output: output, error: error,
                    attempts: pastAttempts + attempts, startedAt: startedAt, finishedAt: services.clock.wall.now())))
    }

    /// Renders with the step's scope. An optional step whose inputs are absent is skipped.
    func rendered<Value>(_ render: () throws -> Value) throws(StepStop) -> Value {
        do { return try render() } catch {
            if step.isOptional { throw .skipped("\(error)") }
            throw .failed(
                ExecutionError(
                    code: "unbound_reference", message: "\(error)", step: step.name, isRetryable: false,
                    action: "correct the template's references"),
                attempts: 0)
        }
    }

    func route() throws(StepStop) -> Route {
        if let route = services.dispatch.route(for: step.routeKey) { return route }
        throw .failed(
            ExecutionError(
                code: "provider_absent", message: "nothing on this host serves \(step.routeKey)", step: step.name,
                isRetryable: true, action: "ask the operator to enable a plugin that serves it"),
            attempts: 0)
    }

    // MARK: AI steps

    private func runAI(_ action: AIAction) async throws(StepStop) -> (output: JSON, attempts: Int) {
        let route = try route()
        let model = action.model ?? route.defaultModel
        if route.isMetered, !isPriced(model, of: route) {
            throw .failed(.unpricedModel(model, step: step.name), attempts: 0)
        }
        let exchange = AIExchange(
            action: action, prompt: try rendered { try scope.render(action.promptTemplate) }, context: context)
        try rendered { try exchange.checkSize() }
        let faults = Mutex<[String]>([])
        return try await attempts { number throws(StepFailure) in
            let asked = faults.withLock { $0 }
            let answer = try await call(
                route, model: model, input: exchange.input(model: model, faults: asked), attempt: number)
            let found = answer.faults(against: action.answerSchema) + AnswerFiles.faults(in: answer.structured)
            guard !found.isEmpty else { return answer.structured }
            line(.warning, "the answer does not fit its schema: \(found.prefix(3).joined(separator: "; "))")
            // Asked once more with the faults; a model that fails twice will fail again.
            let isFirst = faults.withLock { earlier in
                defer { earlier = found }
                return earlier.isEmpty
            }
            throw .answer(.invalidAnswer(found, step: step.name), mayRetry: isFirst)
        }
    }

    private func isPriced(_ model: String?, of route: Route) -> Bool {
        guard let model else { return false }
        return services.pricing.hasPrice(provider: route.ledgerName, model: model, at: services.clock.wall.now())
    }

    // MARK: Attempts

    /// Why one attempt failed.
    enum StepFailure: Error {
        case provider(ProviderError)
        case answer(ExecutionError, mayRetry: Bool)
        /// What may be over by itself after a while.
        case passing(ExecutionError)
        case stop(RunInterruption)

        init(_ error: ProviderError) { self = .provider(error) }
    }

    /// Repeats `attempt` while that can help, waiting as the policy says.
    func attempts(
        _ attempt: (Int) async throws(StepFailure) -> JSON
    ) async throws(StepStop) -> (output: JSON, attempts: Int) {
        var number = 0
        while true {
            number += 1
            do { try await waitForLease() } catch { throw .interrupted(error) }
            do throws(StepFailure) { return (try await attempt(pastAttempts + number), number) } catch {
                if Task.isCancelled { throw .interrupted(.stopped) }
                // What fails once the lease is gone says nothing of the step: its next owner sees for itself.
                if lease.isLost { throw .interrupted(.leaseLost) }
                switch error {
                case .stop(let reason): throw .interrupted(reason)
                case .answer(let failure, let mayRetry):
                    guard mayRetry, number < step.maximumAttempts else { throw .failed(failure, attempts: number) }
                case .passing(let failure):
                    let passing = ProviderError(.upstream, failure.message, isRetryable: true)
                    guard try await pause(after: passing, attempt: number, failure.message) else {
                        throw .failed(failure, attempts: number)
                    }
                case .provider(let failure):
                    services.logger.warning(
                        "provider call failed",
                        metadata: [
                            "execution": "\(fence.executionID)", "step": "\(step.id)", "attempt": "\(number)",
                            "error": "\(failure)",
                        ])
                    let reason = failure.clientError(step: step, attempts: 1).message
                    guard try await pause(after: failure, attempt: number, reason) else {
                        throw .failed(failure.clientError(step: step, attempts: number), attempts: number)
                    }
                }
            }
        }
    }

    /// Waits before the next attempt, as the policy says; false where there is none.
    private func pause(after error: ProviderError, attempt: Int, _ reason: String) async throws(StepStop) -> Bool {
        let delay = services.retry.delay(
            after: error, attempt: attempt, of: step.maximumAttempts, jitter: services.jitter())
        guard let delay else { return false }
        line(.warning, "attempt \(attempt) failed: \(reason); trying again in \(delay.inSeconds) s")
        do { try await services.clock.sleep(delay) } catch { throw .interrupted(.stopped) }
        return true
    }

    func waitForLease() async throws(RunInterruption) { try await lease.wait(by: services.clock) }

    /// Repeats a write that a step waits for until the database has taken or refused it, or the run is no longer ours.
    func durably<Value>(_ write: () async throws(LedgerError) -> Value) async throws(StepFailure) -> Value {
        do throws(WriteStop) { return try await services.durably(under: lease, write) } catch {
            switch error {
            case .refused(let reason):
                throw .provider(ProviderError(.internal, "the database refused a record: \(reason)"))
            case .interrupted(let reason): throw .stop(reason)
            }
        }
    }

    var idempotencyKey: String { "\(fence.executionID)/\(step.id)" }

    func invoke(
        _ route: Route, _ call: UUIDv7, input: JSON, attempt: Int, secrets: [String: String] = [:],
        onChunk: @Sendable (CallChunk) async -> Void
    ) async throws(ProviderError) -> JSON {
        let invocation = Invocation(
            route: route, callID: call, input: input, tenant: userID.description, attempt: attempt,
            idempotencyKey: idempotencyKey, deadline: services.clock.wall.now().advanced(by: step.timeout),
            secrets: secrets, mayAct: { [lease] in !lease.isLost })
        return try await services.dispatch.invoke(invocation, onChunk: onChunk)
    }
}

extension Duration {
    /// Seconds with one decimal: `2.5`.
    var inSeconds: String {
        let tenths = (milliseconds + 50) / 100
        return "\(tenths / 10).\(tenths % 10)"
    }
}
