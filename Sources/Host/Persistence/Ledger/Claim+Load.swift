import Domain

extension Claim {
    /// Reads everything a worker needs to carry the claimed executions on, in three statements for all of them.
    func load(_ rows: Rows, _ session: Session) throws(DatabaseError) -> [ClaimedExecution] {
        guard !rows.isEmpty else { return [] }
        let ids = (0..<rows.count).compactMap { rows.uuid($0, 0) }
        let list = SQLValue.array(ids)
        let steps = try finishedSteps(list, session)
        let calls = try pastCalls(list, session)
        let sequences = try lastSequences(list, session)
        return (0..<rows.count).compactMap { row in
            guard let id = rows.uuid(row, 0), let epoch = rows.integer(row, 1), let user = rows.uuid(row, 2) else {
                return nil
            }
            return ClaimedExecution(
                fence: Fence(executionID: id, worker: worker, epoch: epoch), userID: user,
                configuration: rows.json(row, 3) ?? .null, plan: rows.json(row, 4) ?? .null,
                finishedSteps: steps[id] ?? [], nextLogSequence: (sequences[id] ?? 0) + 1,
                progress: Int(rows.integer(row, 5) ?? 0), calls: calls[id] ?? [], isResumed: epoch > 1)
        }
    }

    private func finishedSteps(_ ids: SQLValue, _ session: Session) throws(DatabaseError) -> [UUIDv7: [StepRecord]] {
        let rows = try session.query(
            """
            SELECT execution_id, step_id, name, state, output::text, error::text, attempts,
                (extract(epoch FROM started_at) * 1000000)::bigint,
                (extract(epoch FROM finished_at) * 1000000)::bigint
            FROM execution_steps WHERE execution_id = ANY ($1::uuid[]) ORDER BY finished_at, step_id
            """, [ids])
        var steps: [UUIDv7: [StepRecord]] = [:]
        for row in 0..<rows.count {
            guard let id = rows.uuid(row, 0), let state = StepState(rawValue: rows.text(row, 3) ?? ""),
                let startedAt = rows.timestamp(row, 7), let finishedAt = rows.timestamp(row, 8)
            else { continue }
            steps[id, default: []].append(
                StepRecord(
                    stepID: rows.text(row, 1) ?? "", name: rows.text(row, 2) ?? "", state: state,
                    output: rows.json(row, 4) ?? .null, error: rows.json(row, 5).flatMap { ExecutionError(stored: $0) },
                    attempts: Int(rows.integer(row, 6) ?? 0), startedAt: startedAt, finishedAt: finishedAt))
        }
        return steps
    }

    /// The calls of earlier epochs. Those still open were cut off with their worker: what they cost is not known.
    private func pastCalls(
        _ ids: SQLValue, _ session: Session
    ) throws(DatabaseError) -> [UUIDv7: [ClaimedExecution.PastCall]] {
        _ = try session.query(
            """
            UPDATE ai_api_calls SET state = 'unknown', success = false, settled_at = now()
            WHERE execution_id = ANY ($1::uuid[]) AND state = 'open'
            """, [ids])
        let rows = try session.query(
            """
            SELECT execution_id, step_id, ai_provider, model_name, attempt, coalesce(cost, 0)
            FROM ai_api_calls WHERE execution_id = ANY ($1::uuid[]) ORDER BY created_at, id
            """, [ids])
        var calls: [UUIDv7: [ClaimedExecution.PastCall]] = [:]
        for row in 0..<rows.count {
            guard let id = rows.uuid(row, 0) else { continue }
            calls[id, default: []].append(
                ClaimedExecution.PastCall(
                    stepID: rows.text(row, 1) ?? "", provider: rows.text(row, 2) ?? "", model: rows.text(row, 3),
                    attempt: Int(rows.integer(row, 4) ?? 1), cost: rows.money(row, 5) ?? .zero))
        }
        return calls
    }

    private func lastSequences(_ ids: SQLValue, _ session: Session) throws(DatabaseError) -> [UUIDv7: Int64] {
        let rows = try session.query(
            """
            SELECT execution_id, max(sequence) FROM execution_logs
            WHERE execution_id = ANY ($1::uuid[]) GROUP BY execution_id
            """, [ids])
        var sequences: [UUIDv7: Int64] = [:]
        for row in 0..<rows.count {
            if let id = rows.uuid(row, 0) { sequences[id] = rows.integer(row, 1) }
        }
        return sequences
    }
}

extension ExecutionError {
    /// Reads what `json` wrote.
    init?(stored json: JSON) {
        guard let code = json["code"]?.stringValue, let message = json["message"]?.stringValue else { return nil }
        self.init(
            code: code, message: message, step: json["step"]?.stringValue,
            isRetryable: json["retryable"]?.boolValue ?? false, action: json["action"]?.stringValue ?? "")
    }
}
