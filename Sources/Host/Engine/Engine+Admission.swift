public import Domain
import Synchronization

extension Engine: ExecutionAdmission {
    public func admit(
        _ request: ExecutionRequest, by principal: Principal
    ) async throws(AdmissionRefusal) -> Admission {
        let template = try await template(request.template)
        let configuration: JSON
        do {
            configuration = try ConfigurationValidator.validate(request.configuration, against: template.inputs)
        } catch { throw .invalidConfiguration(error) }
        let draft = ExecutionDraft(
            id: UUIDv7(at: services.clock.wall.now()), userID: principal.userID, templateSlug: template.slug,
            configuration: configuration, plan: template.plan, webhookURL: request.webhookURL,
            idempotencyKey: request.idempotencyKey, expectedDuration: .seconds(60 * template.expectedMinutes))
        let admitted: AdmittedExecution
        do { admitted = try await services.ledger.admit(draft) } catch { throw .ledger(error) }
        nudge()
        return Admission(executionID: admitted.id, estimatedCompletion: admitted.estimatedCompletion)
    }

    private func template(_ id: String) async throws(AdmissionRefusal) -> Template {
        let source: JSON?
        do { source = try await catalog.source(of: id) } catch { throw .ledger(error) }
        guard let source else { throw .templateNotFound }
        let template: Template
        // Compiled again where a route has gone since: the compiler says it best.
        if let known = compiled.template(of: source, id: id), known.plan.steps.allSatisfy({ isRouted($0) }) {
            template = known
        } else {
            do { template = try compiler.compile(source) } catch { throw .cannotRun(error) }
            compiled.keep(template, id: id)
        }
        let faults = unpricedModels(of: template)
        guard faults.isEmpty else { throw .cannotRun(Diagnostics(faults)) }
        return template
    }

    private func isRouted(_ step: PlannedStep) -> Bool { services.dispatch.route(for: step.routeKey) != nil }

    private func unpricedModels(of template: Template) -> [Diagnostic] {
        template.plan.steps.enumerated().compactMap { index, step in
            guard case .ai(let action) = step.action, let route = services.dispatch.route(for: step.routeKey),
                route.isMetered
            else { return nil }
            let model = action.model ?? route.defaultModel
            let now = services.clock.wall.now()
            if let model, services.pricing.hasPrice(provider: route.ledgerName, model: model, at: now) { return nil }
            return Diagnostic(
                code: "model_not_priced", message: ExecutionError.unpricedModel(model, step: step.name).message,
                pointer: "/template/execution_steps/\(index)/model")
        }
    }
}

extension Template {
    /// The template's own estimate, else a minute a step.
    fileprivate var expectedMinutes: Int { estimatedMinutes ?? max(1, plan.steps.count) }
}
