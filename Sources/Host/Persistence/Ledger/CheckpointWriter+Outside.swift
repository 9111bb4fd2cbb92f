import Domain

/// The parts about the outside world. They come as lists: their number differs, and they are rare.
extension CheckpointWriter {
    mutating func write(_ changes: OutsideChanges) {
        if !changes.effects.isEmpty { write(changes.effects) }
        if let pending = changes.pendingDomain { write(pendingDomain: pending.domain, of: pending.step) }
        if !changes.deployments.isEmpty { write(changes.deployments) }
        if !changes.removedDeployments.isEmpty { write(removedDeployments: changes.removedDeployments) }
    }

    /// An effect goes on from where it stands: what was undone stays so until it is intended anew, and what could
    /// not be undone is not done.
    private mutating func write(_ effects: [Effect]) {
        let changes = JSON.array(
            effects.map { effect in
                [
                    "step_id": .string(effect.stepID.storableName), "key": .string(effect.key.storableName),
                    "state": .string(effect.state.rawValue), "resource": effect.resource.storable,
                    "error": effect.error.map { .string($0.storable) } ?? .null,
                ]
            })
        let list = add([("changes", .json(changes), "jsonb")])
        append(
            """
            effects AS (
                UPDATE execution_effects AS effect SET state = change.state,
                    resource = coalesce(change.resource, effect.resource), error = change.error, updated_at = now()
                FROM jsonb_to_recordset(\(list[0]))
                    AS change (step_id text, key text, state text, resource jsonb, error text)
                WHERE EXISTS (SELECT FROM fence) AND effect.execution_id = \(Self.executionID)
                    AND effect.step_id = change.step_id AND effect.key = change.key AND effect.state <> 'undone'
                    AND (effect.state <> 'undo_failed' OR change.state <> 'done'))
            """)
    }

    /// Only where setting up a domain was the step's effect: any step may have such an output.
    private mutating func write(pendingDomain domain: String, of step: String) {
        let watch = add([("step_id", .text(step), "text"), ("domain", .text(domain.storableName), "text")])
        append(
            """
            watched AS (
                INSERT INTO domain_watches (execution_id, step_id, domain)
                SELECT effect.execution_id, effect.step_id, \(watch[1]) FROM execution_effects AS effect
                WHERE EXISTS (SELECT FROM fence) AND effect.execution_id = \(Self.executionID)
                    AND effect.step_id = \(watch[0]) AND effect.command = 'setup_domain'
                ON CONFLICT DO NOTHING)
            """)
    }

    private mutating func write(_ deployments: [DeploymentRecord]) {
        func text(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }
        let rows = JSON.array(
            deployments.map { deployment in
                [
                    "id": .string(deployment.id.description), "step_id": .string(deployment.stepID.storableName),
                    "provider": .string(deployment.provider.storableName),
                    "deployment_id": text(deployment.providerID?.storableName),
                    "app_url": text(deployment.url?.storable), "status": .string(deployment.status.rawValue),
                    "config": deployment.config.storable, "environment_variables": deployment.environment.storable,
                    "build_logs": .string(deployment.buildLogs.storableEnd(DeploymentRecord.maximumLogBytes)),
                    "deploy_logs": .string(deployment.deployLogs.storableEnd(DeploymentRecord.maximumLogBytes)),
                ]
            })
        let list = add([("deployments", .json(rows), "jsonb")])
        let columns = [
            "provider", "deployment_id", "app_url", "status", "config", "environment_variables", "build_logs",
            "deploy_logs",
        ]
        append(
            """
            deployed AS (
                INSERT INTO deployments (id, execution_id, step_id, \(columns.joined(separator: ", ")))
                SELECT d.id, fence.id, d.step_id, \(columns.map { "d.\($0)" }.joined(separator: ", "))
                FROM fence, jsonb_to_recordset(\(list[0])) AS d (
                    id uuid, step_id text, provider text, deployment_id text, app_url text, status text, config jsonb,
                    environment_variables jsonb, build_logs text, deploy_logs text)
                ON CONFLICT (execution_id, step_id) DO UPDATE SET updated_at = now(),
                    \(columns.map { "\($0) = excluded.\($0)" }.joined(separator: ", ")))
            """)
    }

    /// What was undone serves nobody any more.
    private mutating func write(removedDeployments steps: [String]) {
        let list = add([("removed", .json(.array(steps.map { .string($0.storableName) })), "jsonb")])
        append(
            """
            removed AS (
                UPDATE deployments SET status = 'removed', updated_at = now()
                WHERE EXISTS (SELECT FROM fence) AND execution_id = \(Self.executionID)
                    AND step_id IN (SELECT jsonb_array_elements_text(\(list[0]))))
            """)
    }

    /// Nothing where the execution has no webhook: nobody would ever take them.
    mutating func write(_ events: [WebhookEvent]) {
        let rows = JSON.array(
            events.map { event in
                [
                    "id": .string(event.id.description), "type": .string(event.type.storableName),
                    "data": event.data.storable, "time": .string(event.id.timestamp.exactDescription),
                ]
            })
        let list = add([("events", .json(rows), "jsonb")])
        append(
            """
            events AS (
                INSERT INTO webhook_deliveries (id, execution_id, type, data, created_at)
                SELECT event.id, fence.id, event.type, coalesce(event.data, 'null'), event.time
                FROM fence, ROWS FROM (
                    jsonb_to_recordset(\(list[0])) AS (id uuid, type text, data jsonb, time timestamptz))
                    WITH ORDINALITY AS event (id, type, data, time, number)
                WHERE fence.webhook_url IS NOT NULL ORDER BY event.number
                ON CONFLICT DO NOTHING)
            """)
    }
}
