import Domain

/// Collects a checkpoint's parameters and, if asked, the text that refers to them.
struct CheckpointWriter {
    typealias Column = (name: String, value: SQLValue, type: String)

    /// What the text is for.
    enum Form {
        /// One checkpoint: each parameter is a value.
        case single
        /// Many of one shape: each parameter is an array of their values, `given` their rows. The fence hands each
        /// row on with the execution it has locked, so that what hangs on it is in one place.
        case batched
    }

    /// nil where only the parameters are wanted.
    let form: Form?
    private(set) var parameters: [SQLValue] = []
    private var types: [String] = []
    private var parts: [String] = []
    private var outcome = "'applied'"
    /// The places of the ids of the calls that are settled.
    private var settledIDs: [String] = []

    /// So many log lines have a shape of their own.
    static let fewLines = 3

    /// The place of the execution's id, the first of all, in the single form.
    static let executionID = "$1::uuid"

    init(_ form: Form?) { self.form = form }

    var writesText: Bool { form != nil }

    /// Answers one row of those that were not fenced; in the batched form with its number.
    var sql: String {
        var parts = parts
        if form == .batched {
            let names = types.indices.map { "p\($0 + 1)" }
            let arrays = types.enumerated().map { "$\($0 + 1)::\($1)[]" }
            parts.insert(
                """
                given AS (
                    SELECT * FROM unnest(\(arrays.joined(separator: ", ")))
                        WITH ORDINALITY AS given (\(names.joined(separator: ", ")), number))
                """, at: 0)
        }
        return """
            WITH \(parts.joined(separator: ",\n"))
            SELECT \(outcome)\(form == .batched ? ", number" : "") FROM fence
            """
    }

    mutating func write(_ checkpoint: Checkpoint, _ outside: OutsideChanges) {
        writeFence(checkpoint)
        if let step = checkpoint.step { write(step) }
        for settlement in checkpoint.settlements { write(settlement) }
        if checkpoint.ending != nil { writeCut() }
        if checkpoint.logs.count > Self.fewLines {
            write(checkpoint.logs)
        } else if !checkpoint.logs.isEmpty {
            write(few: checkpoint.logs)
        }
        if !checkpoint.events.isEmpty { write(checkpoint.events) }
        if !outside.isEmpty { write(outside) }
    }

    /// Adds parameters; answers their places, each with a cast.
    mutating func add(_ columns: [Column]) -> [String] {
        let first = parameters.count + 1
        for column in columns { parameters.append(column.value) }
        switch form {
        case nil: return []
        case .single: return columns.enumerated().map { "$\(first + $0)::\($1.type)" }
        case .batched:
            types += columns.map(\.type)
            // Before the fence there are only the rows given; behind it, those that it let through.
            let row = parts.isEmpty ? "given" : "fence"
            return columns.indices.map { "\(row).p\(first + $0)" }
        }
    }

    /// Adds parameters; answers `name = value` for an update.
    private mutating func assign(_ columns: [Column]) -> [String] {
        zip(columns, add(columns)).map { "\($0.name) = \($1)" }
    }

    mutating func append(_ part: @autoclosure () -> String) { if writesText { parts.append(part()) } }

    private mutating func writeFence(_ checkpoint: Checkpoint) {
        let fence = checkpoint.fence
        let key = add([
            ("id", .uuid(fence.executionID), "uuid"), ("owner", .uuid(fence.worker), "uuid"),
            ("epoch", .integer(fence.epoch), "bigint"),
        ])
        let bound = checkpoint.ending?.state == .completed ? 100 : 99
        let progress = add([("progress", .count(min(max(checkpoint.progress, 0), bound)), "integer")])
        var changes = assign([
            ("current_step", .text(checkpoint.currentStep), "text"),
            ("cost_breakdown", .json(checkpoint.cost.json.storable), "jsonb"),
            ("total_cost", .money(checkpoint.cost.total), "numeric"),
        ])
        if let ending = checkpoint.ending {
            changes += assign([
                ("status", .text(ending.state.rawValue), "text"),
                ("result_data", ending.result.isNull ? .null : .json(ending.result), "jsonb"),
                ("error_message", .text(ending.error?.message.storable), "text"),
                ("error", ending.error.map { .json($0.json.storable) } ?? .null, "jsonb"),
                ("deployed_url", .text(ending.deployedURL?.storable), "text"),
                ("github_repo_url", .text(ending.repositoryURL?.storable), "text"),
            ])
            if writesText { changes.append("end_time = now()") }
        }
        let isBatched = form == .batched
        append(
            """
            fence AS (
                UPDATE template_executions SET progress_percentage = greatest(progress_percentage, \(progress[0])),
                    updated_at = now(), \(changes.joined(separator: ", "))\(isBatched ? " FROM given" : "")
                WHERE id = \(key[0]) AND owner = \(key[1]) AND epoch = \(key[2]) AND status = 'running'
                RETURNING id\(checkpoint.events.isEmpty ? "" : ", webhook_url")\(isBatched ? ", given.*" : ""))
            """)
    }

    private mutating func write(_ step: StepRecord) {
        let columns: [Column] = [
            ("step_id", .text(step.stepID), "text"), ("name", .text(step.name), "text"),
            ("state", .text(step.state.rawValue), "text"), ("output", .json(step.output), "jsonb"),
            ("error", step.error.map { .json($0.json.storable) } ?? .null, "jsonb"),
            ("attempts", .count(step.attempts), "integer"), ("started_at", .timestamp(step.startedAt), "timestamptz"),
            ("finished_at", .timestamp(step.finishedAt), "timestamptz"),
        ]
        let values = add(columns)
        append(
            """
            step AS (
                INSERT INTO execution_steps (execution_id, \(columns.map(\.name).joined(separator: ", ")))
                SELECT fence.id, \(values.joined(separator: ", ")) FROM fence
                ON CONFLICT DO NOTHING
                RETURNING execution_id)
            """)
        outcome = "CASE WHEN id IN (SELECT execution_id FROM step) THEN 'applied' ELSE 'already_applied' END"
    }

    /// One update a call, by its whole key: a join with a list could be planned as a scan of a young partition.
    ///
    /// A call that a take-over found open is `unknown`; it may still be settled, and a settled one never changes.
    /// What an unknown one cost is not known, which is not the same as nothing.
    private mutating func write(_ settlement: CallSettlement) {
        let usage = settlement.usage
        func tokens(_ count: Int64?) -> SQLValue { count.map { .integer($0) } ?? .null }
        let latency = Int32(clamping: max(0, settlement.latency.milliseconds))
        let changes = assign([
            ("state", .text(settlement.state.rawValue), "text"),
            ("input_tokens", tokens(usage?.totalInput), "bigint"), ("output_tokens", tokens(usage?.output), "bigint"),
            ("cache_read_tokens", tokens(usage?.cacheRead), "bigint"),
            ("cache_write_5m_tokens", tokens(usage?.cacheWrite5m), "bigint"),
            ("cache_write_1h_tokens", tokens(usage?.cacheWrite1h), "bigint"),
            ("raw_usage", settlement.rawUsage.isNull ? .null : .json(settlement.rawUsage.storable), "jsonb"),
            ("cost", settlement.state == .unknown ? .null : .money(settlement.cost), "numeric"),
            ("price_version", .text(settlement.priceVersion?.storableName), "text"),
            ("latency_ms", .integer(Int64(latency)), "integer"),
            ("success", .bool(settlement.error == nil && settlement.state == .settled), "boolean"),
            ("error_message", .text(settlement.error?.description.storable), "text"),
            ("provider_request_id", .text(settlement.providerRequestID?.storableName), "text"),
        ])
        let key = add([
            ("model_name", .text(settlement.model?.storableName), "text"), ("id", .uuid(settlement.id), "uuid"),
            ("created_at", .timestamp(settlement.id.timestamp), "timestamptz"),
        ])
        if writesText { settledIDs.append(key[1]) }
        let number = parts.count
        append(
            """
            settled\(number) AS (
                UPDATE ai_api_calls AS call SET \(changes.joined(separator: ", ")), settled_at = now(),
                    model_name = coalesce(\(key[0]), call.model_name)
                FROM fence
                WHERE call.id = \(key[1]) AND call.created_at = \(key[2]) AND call.execution_id = fence.id
                    AND call.state IN ('open', 'unknown'))
            """)
    }

    /// With its execution a call that nobody has settled ends too. Not those settled here: one statement must not
    /// change a row twice. The execution is named by the constant, of many by an array, so that no plan joins calls
    /// with the fence.
    private mutating func writeCut() {
        let others = settledIDs.isEmpty ? "" : " AND id <> ALL (ARRAY[\(settledIDs.joined(separator: ", "))])"
        let ended =
            form == .batched
            ? "execution_id = ANY (ARRAY(SELECT id FROM fence))"
            : "EXISTS (SELECT FROM fence) AND execution_id = \(Self.executionID)"
        append(
            """
            cut AS (
                UPDATE ai_api_calls SET state = 'unknown', success = false, settled_at = now()
                WHERE \(ended) AND state = 'open'\(others))
            """)
    }

    /// A few lines, as most checkpoints have them: a list would take the server twice as long.
    private mutating func write(few logs: [LogLine]) {
        let rows = logs.map { line in
            let values = add([
                ("sequence", .integer(line.sequence), "bigint"), ("time", .timestamp(line.time), "timestamptz"),
                ("level", .text(line.level.rawValue), "text"), ("step", .text(line.step?.storable), "text"),
                ("message", .text(line.message.storable), "text"),
            ])
            return "(\(values.joined(separator: ", ")))"
        }
        append(
            """
            logs AS (
                INSERT INTO execution_logs (execution_id, sequence, time, level, step, message)
                SELECT fence.id, line.* FROM fence, LATERAL (VALUES \(rows.joined(separator: ", "))) AS line
                ON CONFLICT DO NOTHING)
            """)
    }

    private mutating func write(_ logs: [LogLine]) {
        let lines = JSON.array(
            logs.map { line in
                [
                    "sequence": .integer(line.sequence), "time": .string(line.time.exactDescription),
                    "level": .string(line.level.rawValue), "step": line.step.map { .string($0.storable) } ?? .null,
                    "message": .string(line.message.storable),
                ]
            })
        let list = add([("lines", .json(lines), "jsonb")])
        append(
            """
            logs AS (
                INSERT INTO execution_logs (execution_id, sequence, time, level, step, message)
                SELECT fence.id, line.sequence, line.time, line.level, line.step, line.message
                FROM fence, jsonb_to_recordset(\(list[0]))
                    AS line (sequence bigint, time timestamptz, level text, step text, message text)
                ON CONFLICT DO NOTHING)
            """)
    }
}
