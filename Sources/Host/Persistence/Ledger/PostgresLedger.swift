public import Domain

/// The ledger of executions in PostgreSQL.
///
/// Each write of an execution is one statement that first locks its row where owner and epoch are the writer's;
/// everything else hangs on that lock, so that a worker that was taken over writes nothing, not even with a
/// statement that was already waiting for the lock. What an execution writes goes by the shared lane.
public struct PostgresLedger: ExecutionLedger {
    let database: Database
    let limits: AdmissionLimits

    public init(_ database: Database, limits: AdmissionLimits = AdmissionLimits()) {
        self.database = database
        self.limits = limits
    }

    /// What a template expects of a run is taken for no longer than this.
    private static let longestExpectation = Duration.seconds(31_536_000)

    /// A user's admissions keep to one connection: on one host none of them is missed when they are counted.
    ///
    /// - Throws: `notFound` where the template or the user does not exist.
    public func admit(_ draft: ExecutionDraft) async throws(LedgerError) -> AdmittedExecution {
        let parameters: [SQLValue] = [
            .uuid(draft.id), .uuid(draft.userID), .text(draft.templateSlug), .text(draft.plan.templateVersion),
            .json(draft.configuration), .json(draft.plan.json), .count(draft.plan.steps.count),
            .text(draft.webhookURL), .text(draft.idempotencyKey), .timestamp(draft.id.timestamp),
            .duration(min(max(draft.expectedDuration, .zero), Self.longestExpectation)), .count(limits.perUser),
            .count(limits.total),
        ]
        // Where another run takes the same key at the same moment, this statement's snapshot may be older than
        // that run: the next one sees it.
        for _ in 0..<3 {
            let rows = try await database.execute(Self.admission, parameters, affinity: draft.userID)
            guard rows.bool(0, 0) else { throw LedgerError(.notFound, "the template is not published") }
            if let id = rows.uuid(0, 1), let completion = rows.timestamp(0, 2) {
                return AdmittedExecution(id: id, estimatedCompletion: completion)
            }
            if rows.bool(0, 3) { throw LedgerError(.tooManyOfUser, "a user has \(limits.perUser) unfinished runs") }
            if rows.bool(0, 4) { throw LedgerError(.tooMany, "there are \(limits.total) unfinished runs") }
        }
        throw LedgerError(.unavailable, "another request with this idempotency key is being admitted")
    }

    /// On a connection of its own, and within a third of the lease: there is time for another try.
    public func renew(worker: UUIDv7, lease: Duration) async throws(LedgerError) {
        do throws(DatabaseError) {
            _ = try await database.leases.execute(
                Self.renewal, [.uuid(worker), .duration(lease)], within: lease / 3)
        } catch {
            throw error.ledgerError
        }
    }

    public func open(_ call: ProviderCall, fence: Fence) async throws(LedgerError) -> FenceOutcome {
        let parameters: [SQLValue] = [
            .uuid(fence.executionID), .uuid(fence.worker), .integer(fence.epoch), .uuid(call.id),
            .timestamp(call.id.timestamp), .text(call.route.ledgerName.storableName),
            .text((call.model ?? call.route.defaultModel)?.storableName), .text(call.route.operation.storableName),
            .text(call.stepID), .count(call.attempt), .text(call.route.pluginID.storableName),
            .text(call.route.pluginVersion.storableName),
        ]
        return try await database.execute(Self.opening, parameters, affinity: fence.executionID).outcome
    }

    public func release(worker: UUIDv7) async throws(LedgerError) {
        try await database.transaction { session throws(DatabaseError) in
            _ = try session.query(
                """
                UPDATE template_executions SET owner = NULL, status = 'queued', updated_at = now()
                WHERE owner = $1::uuid AND status = 'running'
                """, [.uuid(worker)])
            _ = try session.query("DELETE FROM workers WHERE id = $1::uuid", [.uuid(worker)])
        }
    }
}

extension Rows {
    /// The outcome in the first column of the only row; a fenced write may have none.
    var outcome: FenceOutcome {
        guard !isEmpty else { return .fenced }
        return switch text(0, 0) {
        case "applied": .applied
        case "already_applied": .alreadyApplied
        default: .fenced
        }
    }
}

extension PostgresLedger {
    /// A lease that had ended begins anew, and with it the time since when it is held without a gap.
    private static let renewal = """
        INSERT INTO workers (id, application_name, lease, lease_expires_at)
        SELECT $1::uuid, current_setting('application_name'), lease, now() + lease
        FROM (SELECT $2::bigint * interval '1 millisecond' AS lease) AS wanted
        ON CONFLICT (id) DO UPDATE SET
            lease = excluded.lease, lease_expires_at = excluded.lease_expires_at,
            application_name = excluded.application_name,
            steady_since = CASE WHEN workers.lease_expires_at < now() THEN now() ELSE workers.steady_since END
        """

    private static let opening = Statement(
        "open",
        """
        WITH fence AS (
            SELECT id, user_id FROM template_executions
            WHERE id = $1::uuid AND owner = $2::uuid AND epoch = $3::bigint AND status = 'running'
            FOR NO KEY UPDATE),
        opened AS (
            INSERT INTO ai_api_calls (
                id, created_at, user_id, execution_id, ai_provider, model_name, endpoint, step_id, attempt,
                plugin_id, plugin_version, state, success)
            SELECT $4::uuid, $5::timestamptz, fence.user_id, fence.id, $6, $7, $8, $9, $10::integer, $11, $12,
                'open', NULL
            FROM fence
            ON CONFLICT DO NOTHING
            RETURNING id)
        SELECT CASE
            WHEN NOT EXISTS (SELECT FROM fence) THEN 'fenced'
            WHEN EXISTS (SELECT FROM opened) THEN 'applied'
            ELSE 'already_applied'
        END
        """)
}
