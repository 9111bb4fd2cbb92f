public import Domain

/// What the steps of executions wrote, read from their records in PostgreSQL.
public struct PostgresSources: SourceReader {
    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// - Throws: `rejected` where the execution's plan cannot be read: without it there is no order.
    public func contributions(of execution: UUIDv7) async throws(LedgerError) -> [SourceContribution]? {
        try await contributions(execution, user: nil)
    }

    public func contributions(
        of execution: UUIDv7, user: UUIDv7
    ) async throws(LedgerError) -> [SourceContribution]? {
        try await contributions(execution, user: user)
    }

    private func contributions(
        _ execution: UUIDv7, user: UUIDv7?
    ) async throws(LedgerError) -> [SourceContribution]? {
        // The plan never changes: the two statements need not see the same moment.
        let plans = try await database.read(Self.plan, [.uuid(execution), user.map { .uuid($0) } ?? .null])
        guard !plans.isEmpty else { return nil }
        let rows = try await database.read(Self.steps, [.uuid(execution)])
        guard !rows.isEmpty else { return [] }
        guard let plan = plans.json(0, 0).flatMap({ try? ExecutionPlan($0) }) else {
            throw DatabaseError.unreadable(execution: execution, "plan").ledgerError
        }
        let places = Dictionary(
            plan.stepsInOrder.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        var found: [(place: Int, contribution: SourceContribution)] = []
        for row in 0..<rows.count {
            guard let files = rows.json(row, 3)?.arrayValue, let time = rows.timestamp(row, 4) else {
                throw DatabaseError.unreadable(execution: execution, "step's output").ledgerError
            }
            let contribution = SourceContribution(
                step: rows.text(row, 1) ?? "", summary: rows.text(row, 2) ?? "",
                files: files.compactMap(SourceFile.init), time: time)
            // A step that the plan does not know cannot be; if it were, it would come last.
            found.append((places[rows.text(row, 0) ?? ""] ?? Int.max, contribution))
        }
        return found.sorted { $0.place < $1.place }.map(\.contribution).filter { !$0.files.isEmpty }
    }
}

extension PostgresSources {
    private static let plan = Statement(
        "source-plan",
        """
        SELECT plan::text FROM template_executions
        WHERE id = $1::uuid AND ($2::uuid IS NULL OR user_id = $2::uuid)
        """)

    private static let steps = Statement(
        "source-steps",
        """
        SELECT step_id, name, output->>'summary', (output->'files')::text,
            (extract(epoch FROM finished_at) * 1000000)::bigint
        FROM execution_steps
        WHERE execution_id = $1::uuid AND state = 'succeeded' AND jsonb_typeof(output->'files') = 'array'
        ORDER BY finished_at, step_id
        """)
}

extension SourceFile {
    /// nil for anything but a path and a content.
    fileprivate init?(_ json: JSON) {
        guard let path = json["path"]?.stringValue, let content = json["content"]?.stringValue else { return nil }
        self.init(path: path, content: content)
    }
}
