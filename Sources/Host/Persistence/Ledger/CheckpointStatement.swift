import Domain

/// A checkpoint as one statement: the execution's row first, then everything that hangs on it. Its text depends
/// only on which parts the checkpoint has, so the few shapes that occur are prepared once.
struct CheckpointStatement {
    /// Shapes with more settlements than this are rare, and sent unnamed.
    private static let namedSettlements = 4

    private(set) var statement: Statement
    private(set) var parameters: [SQLValue] = []
    private var parts: [String] = []

    init(_ checkpoint: Checkpoint) {
        statement = Statement(nil, "")
        appendFence(checkpoint)
        if let step = checkpoint.step { appendStep(step) }
        for settlement in checkpoint.settlements { appendSettlement(settlement) }
        if !checkpoint.logs.isEmpty { appendLogs(checkpoint.logs) }
        let applied =
            checkpoint.step == nil
            ? "'applied'" : "CASE WHEN EXISTS (SELECT FROM step) THEN 'applied' ELSE 'already_applied' END"
        let sql = """
            WITH \(parts.joined(separator: ",\n"))
            SELECT CASE WHEN EXISTS (SELECT FROM fence) THEN \(applied) ELSE 'fenced' END
            """
        var name = "checkpoint-\(checkpoint.settlements.count)"
        if checkpoint.step != nil { name += "-step" }
        if !checkpoint.logs.isEmpty { name += "-logs" }
        if checkpoint.ending != nil { name += "-end" }
        statement = Statement(checkpoint.settlements.count > Self.namedSettlements ? nil : name, sql)
    }

    /// Adds a parameter; answers its placeholder with a cast.
    private mutating func add(_ value: SQLValue, _ type: String) -> String {
        parameters.append(value)
        return "$\(parameters.count)::\(type)"
    }

    private mutating func appendFence(_ checkpoint: Checkpoint) {
        let fence = checkpoint.fence
        let id = add(.uuid(fence.executionID), "uuid")
        let owner = add(.uuid(fence.worker), "uuid")
        let epoch = add(.integer(fence.epoch), "bigint")
        let bound = checkpoint.ending?.state == .completed ? 100 : 99
        var changes = [
            "progress_percentage = greatest(progress_percentage, "
                + add(.count(min(max(checkpoint.progress, 0), bound)), "integer") + ")",
            "current_step = " + add(.text(checkpoint.currentStep), "text"),
            "cost_breakdown = " + add(.json(checkpoint.cost.json), "jsonb"),
            "total_cost = " + add(.money(checkpoint.cost.total), "numeric"),
            "updated_at = now()",
        ]
        if let ending = checkpoint.ending {
            let result = ending.result
            changes += [
                "status = " + add(.text(ending.state.rawValue), "text"), "end_time = now()",
                "result_data = " + add(result.isNull ? .null : .json(result), "jsonb"),
                "error_message = " + add(.text(ending.error?.message), "text"),
                "error = " + add(ending.error.map { .json($0.json) } ?? .null, "jsonb"),
                "deployed_url = "
                    + add(.text(result["final_url"]?.stringValue ?? result["app_url"]?.stringValue), "text"),
                "github_repo_url = "
                    + add(
                        .text(result["github_repo"]?.stringValue ?? result["github_repository"]?.stringValue), "text"),
            ]
        }
        parts.append(
            """
            fence AS (
                UPDATE template_executions SET \(changes.joined(separator: ", "))
                WHERE id = \(id) AND owner = \(owner) AND epoch = \(epoch) AND status = 'running'
                RETURNING id)
            """)
    }

    private mutating func appendStep(_ step: StepRecord) {
        let values = [
            add(.text(step.stepID), "text"), add(.text(step.name), "text"), add(.text(step.state.rawValue), "text"),
            add(.json(step.output), "jsonb"), add(step.error.map { .json($0.json) } ?? .null, "jsonb"),
            add(.count(step.attempts), "integer"), add(.timestamp(step.startedAt), "timestamptz"),
            add(.timestamp(step.finishedAt), "timestamptz"),
        ]
        parts.append(
            """
            step AS (
                INSERT INTO execution_steps (
                    execution_id, step_id, name, state, output, error, attempts, started_at, finished_at)
                SELECT fence.id, \(values.joined(separator: ", ")) FROM fence
                ON CONFLICT DO NOTHING
                RETURNING step_id)
            """)
    }

    /// One update a call, by its whole key: a join with a list could be planned as a scan of a young partition.
    ///
    /// A call that a take-over found open is `unknown`; it may still be settled, and a settled one never changes.
    private mutating func appendSettlement(_ settlement: CallSettlement) {
        let usage = settlement.usage
        let error = settlement.error.map { $0.description.storable }
        let values: [(String, SQLValue, String)] = [
            ("state", .text(settlement.state.rawValue), "text"),
            ("input_tokens", usage.map { .integer($0.totalInput) } ?? .null, "bigint"),
            ("output_tokens", usage.map { .integer($0.output) } ?? .null, "bigint"),
            ("cache_read_tokens", usage.map { .integer($0.cacheRead) } ?? .null, "bigint"),
            ("cache_write_5m_tokens", usage.map { .integer($0.cacheWrite5m) } ?? .null, "bigint"),
            ("cache_write_1h_tokens", usage.map { .integer($0.cacheWrite1h) } ?? .null, "bigint"),
            ("raw_usage", settlement.rawUsage.isNull ? .null : .json(settlement.rawUsage), "jsonb"),
            ("cost", .money(settlement.cost), "numeric"),
            ("price_version", .text(settlement.priceVersion), "text"),
            ("latency_ms", .count(Int(Int32(clamping: max(0, settlement.latency.milliseconds)))), "integer"),
            ("success", .bool(settlement.error == nil && settlement.state == .settled), "boolean"),
            ("error_message", .text(error), "text"),
            ("provider_request_id", .text(settlement.providerRequestID), "text"),
        ]
        var changes = values.map { "\($0.0) = \(add($0.1, $0.2))" }
        changes.append("model_name = coalesce(\(add(.text(settlement.model), "text")), call.model_name)")
        let id = add(.uuid(settlement.id), "uuid")
        let time = add(.timestamp(settlement.id.timestamp), "timestamptz")
        parts.append(
            """
            settled\(parts.count) AS (
                UPDATE ai_api_calls AS call SET \(changes.joined(separator: ", ")), settled_at = now()
                FROM fence
                WHERE call.id = \(id) AND call.created_at = \(time) AND call.execution_id = fence.id
                    AND call.state IN ('open', 'unknown'))
            """)
    }

    private mutating func appendLogs(_ logs: [LogLine]) {
        let lines = JSON.array(
            logs.map { line in
                [
                    "sequence": .integer(line.sequence), "time": .string(line.time.postgresText),
                    "level": .string(line.level.rawValue), "step": line.step.map { .string($0.storable) } ?? .null,
                    "message": .string(line.message.storable),
                ]
            })
        parts.append(
            """
            logs AS (
                INSERT INTO execution_logs (execution_id, sequence, time, level, step, message)
                SELECT fence.id, line.sequence, line.time, line.level, line.step, line.message
                FROM fence, jsonb_to_recordset(\(add(.json(lines), "jsonb")))
                    AS line (sequence bigint, time timestamptz, level text, step text, message text)
                ON CONFLICT DO NOTHING)
            """)
    }
}

extension String {
    /// Longer texts say nothing more to a reader of a log.
    private static let storableBytes = 65_536

    /// The text as a log line can hold it: PostgreSQL has no U+0000, and one endless line must not cost the
    /// checkpoint that carries it.
    var storable: String {
        var text = self
        if utf8.contains(0) {
            text = String(String.UnicodeScalarView(unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 }))
        }
        guard text.utf8.count > Self.storableBytes else { return text }
        return String(decoding: text.utf8.prefix(Self.storableBytes), as: UTF8.self) + " … (cut off)"
    }
}
