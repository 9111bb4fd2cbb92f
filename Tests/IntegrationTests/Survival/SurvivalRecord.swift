import Domain
import Foundation
import Testing

@testable import App
@testable import Persistence

/// A run's durable steps and the providers' books at one moment: what nobody may change or do again from then on.
struct SurvivalRecord: Sendable {
    /// By step id: state, attempts, times and a digest of the output, as stored.
    let finishedSteps: [String: String]
    /// The last call that had come to the sandbox.
    let lastCall: Int64
    /// Of the run's log.
    let lines: Int

    static func take(_ execution: String, in world: SurvivalWorld) async throws -> SurvivalRecord {
        // The steps first: whatever one that is finished by then asked of anybody stands in the books that are read after.
        let finished = try await finishedSteps(execution, in: world)
        let last = try await world.provider.get("/ledger").body["total"]?.integerValue ?? 0
        let lines = try await world.query(
            "SELECT count(*) FROM execution_logs WHERE execution_id = $1::uuid", [.text(execution)])
        return SurvivalRecord(finishedSteps: finished, lastCall: last, lines: Int(lines.integer(0, 0) ?? 0))
    }

    static func finishedSteps(_ execution: String, in world: SurvivalWorld) async throws -> [String: String] {
        let rows = try await world.query(
            """
            SELECT step_id, concat_ws(' ', state, attempts, started_at, finished_at, md5(output::text), xmin)
            FROM execution_steps WHERE execution_id = $1::uuid
            """, [.text(execution)])
        return Dictionary(
            uniqueKeysWithValues: (0..<rows.count).map { (rows.text($0, 0) ?? "", rows.text($0, 1) ?? "") })
    }
}
