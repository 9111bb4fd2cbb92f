import Domain

extension Claim {
    /// Reads everything a worker needs to carry the claimed executions on, in five statements for all of them;
    /// in none for executions that nobody has begun.
    ///
    /// - Throws: `unreadable` where anything stored cannot be read: what cannot be carried on whole is not taken.
    func load(_ rows: Rows, _ session: Session) throws(DatabaseError) -> [ClaimedExecution] {
        guard !rows.isEmpty else { return [] }
        // Nothing was ever written under an epoch before the first.
        let begun = (0..<rows.count).filter { (rows.integer($0, 1) ?? 0) > 1 }.compactMap { rows.uuid($0, 0) }
        let list = SQLValue.array(begun)
        let steps = begun.isEmpty ? [:] : try finishedSteps(list, session)
        let calls = begun.isEmpty ? [:] : try pastCalls(list, session)
        let sequences = begun.isEmpty ? [:] : try lastSequences(list, session)
        let effects = begun.isEmpty ? [:] : try pastEffects(list, session)
        var claimed: [ClaimedExecution] = []
        for row in 0..<rows.count {
            let id = try rows.execution(row)
            guard let epoch = rows.integer(row, 1), let user = rows.uuid(row, 2) else {
                throw .unreadable(execution: id, "owner")
            }
            claimed.append(
                ClaimedExecution(
                    fence: Fence(executionID: id, worker: worker, epoch: epoch), userID: user,
                    configuration: try rows.stored(row, 3, "configuration", of: id),
                    plan: try rows.stored(row, 4, "plan", of: id), finishedSteps: steps[id] ?? [],
                    nextLogSequence: (sequences[id] ?? 0) + 1, progress: Int(rows.integer(row, 5) ?? 0),
                    calls: calls[id] ?? [], isResumed: epoch > 1,
                    effects: effects[id] ?? [], hasWebhook: rows.bool(row, 6),
                    failure: ExecutionError(stored: try rows.stored(row, 8, "error", of: id)),
                    begunAgain: try rows.counts(row, 9, of: id)))
        }
        return claimed
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
            let id = try rows.execution(row)
            guard let state = StepState(rawValue: rows.text(row, 3) ?? ""),
                let startedAt = rows.timestamp(row, 7), let finishedAt = rows.timestamp(row, 8)
            else { throw .unreadable(execution: id, "step's state") }
            let error = try rows.stored(row, 5, "step's error", of: id)
            steps[id, default: []].append(
                StepRecord(
                    stepID: rows.text(row, 1) ?? "", name: rows.text(row, 2) ?? "", state: state,
                    output: try rows.stored(row, 4, "step's output", of: id), error: ExecutionError(stored: error),
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
            SELECT execution_id, step_id, ai_provider, model_name, attempt, state, coalesce(cost, 0)
            FROM ai_api_calls WHERE execution_id = ANY ($1::uuid[]) ORDER BY created_at, id
            """, [ids])
        var calls: [UUIDv7: [ClaimedExecution.PastCall]] = [:]
        for row in 0..<rows.count {
            let id = try rows.execution(row)
            guard let state = SettlementState(rawValue: rows.text(row, 5) ?? ""), let cost = rows.money(row, 6) else {
                throw .unreadable(execution: id, "cost of a call")
            }
            calls[id, default: []].append(
                ClaimedExecution.PastCall(
                    stepID: rows.text(row, 1) ?? "", provider: rows.text(row, 2) ?? "", model: rows.text(row, 3),
                    attempt: Int(rows.integer(row, 4) ?? 1), state: state, cost: cost))
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
        for row in 0..<rows.count { sequences[try rows.execution(row)] = rows.integer(row, 1) }
        return sequences
    }
}

extension Rows {
    /// The execution's id in the first column.
    func execution(_ row: Int) throws(DatabaseError) -> UUIDv7 {
        guard let id = uuid(row, 0) else { throw .disconnected("the server sent a row without its key") }
        return id
    }

    /// Stored numbers by name.
    fileprivate func counts(
        _ row: Int, _ column: Int, of execution: UUIDv7
    ) throws(DatabaseError) -> [String: Int] {
        let members = try stored(row, column, "counts", of: execution).objectValue?.members ?? []
        return Dictionary(members.map { ($0.key, Int($0.value.integerValue ?? 0)) }) { first, _ in first }
    }

    /// Stored JSON; SQL null is JSON's null.
    func stored(
        _ row: Int, _ column: Int, _ what: String, of execution: UUIDv7
    ) throws(DatabaseError) -> JSON {
        guard text(row, column) != nil else { return .null }
        guard let value = json(row, column) else { throw .unreadable(execution: execution, what) }
        return value
    }
}

extension ExecutionError {
    /// Reads what `json` wrote; nil for anything else.
    init?(stored json: JSON) {
        guard let code = json["code"]?.stringValue, let message = json["message"]?.stringValue else { return nil }
        self.init(
            code: code, message: message, step: json["step"]?.stringValue,
            isRetryable: json["retryable"]?.boolValue ?? false, action: json["action"]?.stringValue ?? "",
            leftovers: (json["not_undone"]?.arrayValue ?? []).compactMap(\.stringValue))
    }
}
