import Domain

extension Claim {
    /// What earlier epochs did to the outside world, or may have done, in the order in which they began it.
    func pastEffects(_ ids: SQLValue, _ session: Session) throws(DatabaseError) -> [UUIDv7: [Effect]] {
        let rows = try session.query(
            """
            SELECT execution_id, \(Effect.columns("execution_effects"))
            FROM execution_effects WHERE execution_id = ANY ($1::uuid[]) ORDER BY number
            """, [ids])
        var effects: [UUIDv7: [Effect]] = [:]
        for row in 0..<rows.count {
            let id = try rows.execution(row)
            effects[id, default: []].append(try rows.effect(row, from: 1, of: id))
        }
        return effects
    }
}

extension Effect {
    /// The columns that `Rows.effect` reads, in its order.
    static func columns(_ table: String) -> String {
        ["key", "step_id", "command", "provider", "plugin_id", "state", "request::text", "resource::text", "error"]
            .map { "\(table).\($0)" }.joined(separator: ", ")
    }
}

extension Rows {
    /// The effect whose columns begin at `column`.
    func effect(_ row: Int, from column: Int, of execution: UUIDv7) throws(DatabaseError) -> Effect {
        guard let state = Effect.State(rawValue: text(row, column + 5) ?? "") else {
            throw .unreadable(execution: execution, "effect's state")
        }
        return Effect(
            key: text(row, column) ?? "", stepID: text(row, column + 1) ?? "", command: text(row, column + 2) ?? "",
            provider: text(row, column + 3) ?? "", pluginID: text(row, column + 4) ?? "",
            request: try stored(row, column + 6, "effect's request", of: execution), state: state,
            resource: try stored(row, column + 7, "effect's resource", of: execution), error: text(row, column + 8))
    }
}
