import Domain
import Foundation
import Metering
import Testing

@testable import App
@testable import Persistence

/// What holds of a run that has ended, whatever was killed, stopped or filled up while it ran.
struct SurvivalInvariants {
    private let world: SurvivalWorld
    private let execution: JSON
    private let id: String
    private let records: [SurvivalRecord]

    /// Checks everything about one run.
    ///
    /// - Parameters:
    ///   - execution: as the API shows it in the end.
    ///   - records: taken while it ran.
    ///   - state: in which it should have ended.
    /// - Returns: the calls that are not settled, for a reader: each with its step and what the provider's side says.
    @discardableResult
    static func check(
        _ execution: JSON, in world: SurvivalWorld, records: [SurvivalRecord] = [], endsAs state: String = "completed"
    ) async throws -> [String] {
        let invariants = SurvivalInvariants(
            world: world, execution: execution, id: try #require(execution["id"]?.stringValue), records: records)
        #expect(execution["status"]?.stringValue == state, "\(execution["error"]?.text ?? "") \(execution.text)")
        let books = try await world.provider.calls()
        let unsettled = try await invariants.checkCalls(books)
        try await invariants.checkSteps(books)
        try await invariants.checkLog()
        return unsettled
    }

    // MARK: Calls of models

    private struct Call {
        let id: String
        let state: String
        let stepID: String
        let attempt: Int64
        let provider: String
        let model: String
        let input: Int64?
        let output: Int64?
        let cacheRead: Int64?
        let cost: Money?
    }

    private func calls() async throws -> [Call] {
        let rows = try await world.query(
            """
            SELECT id, state, step_id, attempt, ai_provider, coalesce(model_name, ''), input_tokens, output_tokens,
                cache_read_tokens, cost
            FROM ai_api_calls WHERE execution_id = $1::uuid ORDER BY created_at, id
            """, [.text(id)])
        return (0..<rows.count).map { row in
            func text(_ column: Int) -> String { rows.text(row, column) ?? "" }
            return Call(
                id: text(0), state: text(1), stepID: text(2), attempt: rows.integer(row, 3) ?? 0, provider: text(4),
                model: text(5), input: rows.integer(row, 6), output: rows.integer(row, 7),
                cacheRead: rows.integer(row, 8), cost: rows.money(row, 9))
        }
    }

    /// Each call that reached a model has one row, and each row but those that never left has its call; what is settled
    /// is exact, and what is not says so.
    private func checkCalls(_ books: [JSON]) async throws -> [String] {
        let calls = try await calls()
        #expect(Set(calls.map(\.id)).count == calls.count)
        let arrived = books.filter { $0["provider"] != "railway" }
        let named = Dictionary(grouping: arrived) { $0["call_id"]?.stringValue ?? "" }
        #expect(named[""] == nil && named.values.allSatisfy { $0.count == 1 }, "a call came twice, or without its id")
        let known = try await world.query("SELECT id FROM ai_api_calls")
        let ids = Set((0..<known.count).compactMap { known.text($0, 0) })
        let strangers = Set(named.keys).subtracting(ids)
        #expect(strangers.isEmpty, "calls without a row: \(strangers)")
        var unsettled: [String] = []
        var total = Money.zero
        for call in calls {
            total = try total.adding(call.cost ?? .zero)
            let entry = named[call.id]?.first
            switch call.state {
            case "settled": try checkPrice(of: call, try #require(entry, "settled without a call: \(call)"))
            case "estimated", "unknown":
                if call.state == "unknown" { #expect(call.cost == nil, "\(call)") }
                unsettled.append(
                    "step \(call.stepID), attempt \(call.attempt) at \(call.provider): \(call.state); the provider's "
                        + "side: \(entry?["state"]?.stringValue ?? "never arrived")")
            default: Issue.record("a call is left \(call.state): \(call)")
            }
        }
        // Each row is a call of the owner's bill, settled or not, and the bill is their exact sum.
        let lines = execution["cost_breakdown"]?["steps"]?.arrayValue ?? []
        #expect(lines.compactMap { $0["calls"]?.integerValue }.reduce(0, +) == Int64(calls.count))
        #expect(execution["total_cost"]?.stringValue == total.description)
        return unsettled
    }

    /// To the digit: the provider's own counts, and the price of exactly those.
    private func checkPrice(of call: Call, _ entry: JSON) throws {
        guard let usage = entry["usage"], !usage.isNull else {
            #expect(call.cost == .zero && (call.input ?? 0) == 0, "\(call)")
            return
        }
        func count(_ name: String) -> Int64 { usage[name]?.integerValue ?? 0 }
        let cached = usage["input_tokens_details"]?["cached_tokens"]?.integerValue ?? count("cache_read_input_tokens")
        // Anthropic's input leaves out what went through its cache, OpenAI's does not.
        let isPartial = call.provider == "claude"
        let written = count("cache_creation_input_tokens")
        let input = count("input_tokens") + (isPartial ? cached + written : 0)
        #expect(call.input == input && call.output == count("output_tokens"), "\(call): \(usage.text)")
        #expect(call.cacheRead == cached, "\(call): \(usage.text)")
        let exact = TokenUsage(
            input: input - cached - written, output: count("output_tokens"), cacheRead: cached, cacheWrite5m: written)
        let time = try #require(UUIDv7(call.id)).timestamp
        let price = try PriceTable.builtIn.price(exact, provider: call.provider, model: call.model, at: time)
        #expect(call.cost == price?.cost && price != nil, "\(call): \(usage.text)")
    }

    // MARK: Steps

    /// What a provider is told to make once in a step's life, by the command of the step.
    private static let makings = [
        "tcpProxyCreate": "setup_database", "volumeCreate": "setup_database", "up": "deploy_application",
        "customDomainCreate": "setup_domain",
    ]

    private func checkSteps(_ books: [JSON]) async throws {
        let finished = try await SurvivalRecord.finishedSteps(id, in: world)
        let effects = try await world.query(
            "SELECT step_id, command FROM execution_effects WHERE execution_id = $1::uuid", [.text(id)])
        let commands = Dictionary(
            uniqueKeysWithValues: (0..<effects.count).map { (effects.text($0, 1) ?? "", effects.text($0, 0) ?? "") })
        let owners = Dictionary(uniqueKeysWithValues: try await calls().map { ($0.id, $0.stepID) })
        for record in records {
            for (step, row) in record.finishedSteps {
                #expect(finished[step] == row, "the finished step \(step) was written again")
            }
            for call in books where call["sequence"]?.integerValue ?? 0 > record.lastCall {
                let making = Self.makings[call["prompt"]?.stringValue ?? ""].flatMap { commands[$0] }
                guard let step = owners[call["call_id"]?.stringValue ?? ""] ?? making else { continue }
                #expect(record.finishedSteps[step] == nil, "the finished step \(step) was done again: \(call.text)")
            }
        }
    }

    /// Lines are numbered from 1 without a gap or repeat.
    private func checkLog() async throws {
        let rows = try await world.query(
            "SELECT count(*), min(sequence), max(sequence) FROM execution_logs WHERE execution_id = $1::uuid",
            [.text(id)])
        #expect(rows.integer(0, 1) == 1 && rows.integer(0, 2) == rows.integer(0, 0))
    }

    // MARK: Resources

    /// Everything that so many runs of the SaaS template make at Railway is there once.
    ///
    /// - Parameter domains: custom domains; nil where each run has one.
    static func checkResources(of runs: Int, domains: Int? = nil, in world: SurvivalWorld) async throws {
        let state = try await world.provider.get("/railway/state").body
        func keys(_ kind: String, _ names: String...) -> [String] {
            (state[kind]?.arrayValue ?? []).map { thing in names.map { thing[$0]?.text ?? "" }.joined(separator: " ") }
        }
        let kinds: [(name: String, keys: [String], count: Int)] = [
            ("projects", keys("projects", "name"), runs),
            ("services", keys("services", "project_id", "name"), 2 * runs),
            ("databases", keys("databases", "service_id"), runs), ("volumes", keys("volumes", "service_id"), runs),
            ("tcp_proxies", keys("tcp_proxies", "service_id"), runs), ("domains", keys("domains", "service_id"), runs),
            ("custom_domains", keys("custom_domains", "domain"), domains ?? runs),
            ("deployments", keys("deployments", "service_id"), 2 * runs),
        ]
        for kind in kinds {
            #expect(Set(kind.keys).count == kind.keys.count, "\(kind.name) twice: \(state.text)")
            #expect(kind.keys.count == kind.count, "\(kind.name) of \(runs) runs: \(state.text)")
        }
    }
}
