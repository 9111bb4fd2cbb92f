import CLibpq

extension LaneConnection {
    /// Statements beyond this many wait for the next batch: past it nothing is gained.
    private static let batchLimit = 64
    /// So many statements may wait for a connection before the next one is taken: on several at once the same work
    /// is many small batches.
    static let gatheringLimit = 32

    /// Sends what waits as one batch, unless one is under way.
    func startBatch() {
        guard case .ready = phase, let connection, !queue.isEmpty else { return }
        batch = Batch(jobs: queue.popFirst(singles > 0 ? 1 : Self.batchLimit))
        phase = .busy(since: .now)
        lane.counts.began()
        guard sendBatch(on: connection), connection.synchronize() else {
            return disconnect(connection.errorText)
        }
        flush()
    }

    private func sendBatch(on connection: Connection) -> Bool {
        if isPooled {
            guard let parameters = try? ParameterBuffer([.text(lockTimeout)]),
                connection.send("SELECT set_config('lock_timeout', $1, true)", parameters)
            else { return false }
            batch.steps.append(.setting)
        }
        for parcel in batch.parcels {
            let job = batch.jobs[parcel[0]]
            if parcel.count > 1, let name = job.statement.name, let sql = job.statement.batched {
                let arrays = ParameterBuffer(arraysOf: parcel.map { batch.jobs[$0].parameters })
                guard send("\(name)-batched", sql, arrays, on: connection) else { return false }
                batch.steps.append(.jobs(parcel))
            } else {
                guard send(job.statement.name, job.statement.sql, job.parameters, on: connection) else { return false }
                batch.steps.append(.job(parcel[0]))
            }
        }
        return true
    }

    private func send(
        _ name: String?, _ sql: String, _ parameters: ParameterBuffer, on connection: Connection
    ) -> Bool {
        guard let name, !isPooled else { return connection.send(sql, parameters) }
        if !connection.prepared.contains(name), !batch.isPreparing(name) {
            guard connection.prepare(name, sql) else { return false }
            batch.steps.append(.preparation(name))
        }
        return connection.sendPrepared(name, parameters)
    }

    func flush() {
        guard let connection else { return }
        guard let isPending = connection.flush() else { return disconnect(connection.errorText) }
        if isPending != batch.isWaitingToWrite {
            batch.isWaitingToWrite = isPending
            watch(isPending ? aib_epoll_in | aib_epoll_out : aib_epoll_in)
        }
    }

    func readReplies() {
        while let connection, !connection.isAwaiting {
            switch (phase, connection.reply()) {
            case (_, .refused(let refusal)) where refusal.kind == .connection || refusal.kind == .stalePlan:
                // A prepared statement that no longer fits the schema is cured by a new session.
                return disconnect("\(refusal.message) (SQLSTATE \(refusal.sqlState))")
            case (.introducing, .rows(let rows)): isPooled = rows.isEmpty
            case (.introducing, .end):
                guard connection.enterPipeline() else { return disconnect(connection.errorText) }
                backoff.reset()
                lastFailure = nil
                phase = .ready
                return startBatch()
            case (.busy, .synchronized): return finishBatch()
            case (.busy, let reply):
                if let name = batch.take(reply) { connection.prepared.insert(name) }
                if batch.isOverrun { return disconnect("the server's replies are out of step") }
            case (.introducing, let reply): return disconnect("the session could not be set up: \(reply)")
            default: return
            }
        }
    }

    private func finishBatch() {
        let finished = batch
        batch = Batch()
        phase = .ready
        lane.counts.ended()
        defer { startBatch() }
        guard let refusal = finished.refusal else {
            if singles > 0 { singles -= 1 }
            for (job, rows) in zip(finished.jobs, finished.rows) {
                finish(job, rows.map { .success($0) } ?? .failure(.disconnected("the server sent no reply")))
            }
            return
        }
        if finished.jobs.count > 1 {
            // Nothing of it happened: a replay is not an attempt in vain for those that did nothing wrong.
            queue.prepend(finished.jobs)
            singles = max(singles, finished.jobs.count)
        } else if refusal.kind == .retryable {
            singles = max(0, singles - 1)
            retry(finished.jobs, { .failure(.refused(refusal)) })
        } else {
            singles = max(0, singles - 1)
            for job in finished.jobs { finish(job, .failure(.refused(refusal))) }
        }
    }
}
