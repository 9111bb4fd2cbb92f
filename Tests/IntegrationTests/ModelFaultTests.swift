import Domain
import Foundation
import Outbound
import Testing

@testable import App

/// Every fault of a provider of models, with the whole host in front of it: what `docs/faults.md` says comes of each.
@Suite(.timeLimit(.minutes(3))) struct ModelFaultTests {
    /// One run with one fault in its way. The subject is its input, and so the word by which the sandbox knows its
    /// calls.
    private struct Trial: Sendable {
        let row: ModelFault
        let provider: String
        /// Whether each call meets the fault, or only the first.
        let isLasting: Bool

        var subject: String { "\(row.id) \(provider) \(isLasting ? "lasting" : "once")" }
        var outcome: ModelFault.Outcome { provider == "claude" ? row.claude : row.codex }
        /// Whether the fault is over before the attempts are.
        var isSurvived: Bool { !isLasting && outcome.calls > 1 }
        /// The attempt after the fault has all the time that it needs.
        var template: String { "probe-\(provider)" + (row.isHasty ? isLasting ? "-hasty" : "-short" : "") }

        var fault: JSON {
            var fault = provider == "claude" ? row.fault : row.codexFault ?? row.fault
            fault.set("provider", provider == "claude" ? "anthropic" : "openai")
            fault.set("match", .string("[\(subject)]"))
            fault.set("times", isLasting ? 1_000 : 1)
            return fault
        }
    }

    /// What takes longest first.
    private static let trials = ModelFault.all.sorted { $0.isHasty && !$1.isHasty }.flatMap { row in
        ["claude", "codex"].flatMap { provider in
            [true, false].map { Trial(row: row, provider: provider, isLasting: $0) }
        }
    }

    @Test func `each ends as the table says, at the price that it says`() async throws {
        let transport = APIClient.transport()
        let folder = try Program.folder("model-faults")
        // As an operator gives them.
        let faults = folder + "/faults.json"
        try JSON.array(Self.trials.map(\.fault)).text.write(toFile: faults, atomically: true, encoding: .utf8)
        let host = try HostProcess(
            ["--sandbox", "--faults", faults, "--templates", try ProbeTemplate.folder(in: folder)],
            dataDirectory: folder + "/data", transport: transport)
        let client = try await host.client.registered()
        let sandbox = APIClient(transport: transport, base: try #require(host.sandbox))
        let runs = try await Self.trials.atOnce { trial in
            try await client.run(trial.template, ["subject": .string(trial.subject)])
        }
        let ledger = try await sandbox.calls()
        // Nothing of it has harmed the host.
        let good = try await client.run("probe-claude", ["subject": "all is well"])
        #expect(good["status"] == "completed", "\(good.text)")
        #expect(host.stop() == 0)
        await transport.shutdown()

        let books = try await Books.calls(in: folder + "/data")
        for (index, trial) in Self.trials.enumerated() {
            let run = runs[index]
            let asked = ledger.filter { $0["prompt"]?.stringValue?.contains("[\(trial.subject)]") == true }
            let id = try #require(run["id"])
            try check(run, trial, asked, books.filter { $0["execution_id"] == id })
        }
    }

    private func check(_ run: JSON, _ trial: Trial, _ asked: [JSON], _ rows: [JSON]) throws {
        let (outcome, what) = (trial.outcome, Comment(rawValue: "\(trial.subject): \(run.text)"))
        let calls = trial.isSurvived ? 2 : outcome.calls
        #expect(run["status"]?.stringValue == (trial.isSurvived ? "completed" : "failed"), what)
        #expect(asked.count == calls, what)
        // One row a call that reached the provider, and none beside.
        #expect(rows.count == calls && Set(rows.map { $0["id"] }) == Set(asked.map { $0["call_id"] }), what)
        if !trial.isSurvived {
            let error = try #require(run["error"], what)
            #expect(error["code"]?.stringValue == outcome.error, what)
            #expect(error["step"] == "Probe" && error["action"]?.stringValue?.isEmpty == false, what)
            #expect(!run.text.contains("<html>"), what)
        }
        var cost = Money.zero
        for (number, row) in rows.enumerated() {
            let isLast = trial.isSurvived && number == calls - 1
            let call = try #require(asked.first { $0["call_id"] == row["id"] }, what)
            try check(row, isLast ? .settled : outcome.metered, call, what)
            cost = try cost.adding(try #require(Money(decimal: row["cost"]?.stringValue ?? "")))
        }
        #expect(run["total_cost"]?.stringValue == cost.description, what)
        if trial.row.id == "rate-limit" { try checkWaits(asked, what) }
    }

    /// The row of one call, beside what the provider knows of it.
    private func check(_ row: JSON, _ metered: ModelFault.Metered, _ call: JSON, _ what: Comment) throws {
        let state = metered == .nothing ? .settled : metered
        #expect(row["state"]?.stringValue == state.rawValue, what)
        let cost = try #require(Money(decimal: row["cost"]?.stringValue ?? ""))
        let (stated, input) = (call["usage"] ?? .null, row["input_tokens"]?.integerValue)
        switch metered {
        case .nothing: #expect(cost == .zero && stated.isNull, what)
        case .unknown: #expect(cost == .zero, what)
        case .estimated:
            // What went in was stated at the beginning, what came out was not stated any more.
            #expect(cost > .zero && input == stated["input_tokens"]?.integerValue, what)
            #expect(row["output_tokens"]?.integerValue == 1, what)
        case .settled:
            #expect(cost > .zero && input == stated["input_tokens"]?.integerValue, what)
            #expect(row["output_tokens"] == stated["output_tokens"], what)
        }
    }

    /// No call came earlier than the provider had asked for.
    private func checkWaits(_ calls: [JSON], _ what: Comment) throws {
        let times = try calls.map { call in
            try Date(
                try #require(call["received_at"]?.stringValue),
                strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        }
        for (earlier, later) in zip(times, times.dropFirst()) {
            #expect(later.timeIntervalSince(earlier) >= 1, what)
        }
    }

    @Test func `the table has a row for each of them`() throws {
        let table = try FaultTable("Models")
        #expect(Set(table.rows.keys) == Set(ModelFault.all.map(\.id)))
        for row in ModelFault.all {
            let cells = try #require(table.rows[row.id])
            #expect(cells[2] == Self.both(row.claude.error, row.codex.error), "\(row.id)")
            #expect(cells[3] == Self.both("\(row.claude.calls)", "\(row.codex.calls)"), "\(row.id)")
            #expect(cells[4] == Self.both(row.claude.metered.rawValue, row.codex.metered.rawValue), "\(row.id)")
        }
    }

    private static func both(_ claude: String, _ codex: String) -> String {
        claude == codex ? claude : "\(claude) / \(codex)"
    }
}

extension Array where Element: Sendable {
    /// What comes of each, in order; a few at a time, for a client may not have any number of streams.
    func atOnce<Result: Sendable>(
        width: Int = 40, _ body: @escaping @Sendable (Element) async throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            var results: [Int: Result] = [:]
            for (index, element) in enumerated() {
                if index >= width, let (done, result) = try await group.next() { results[done] = result }
                group.addTask { (index, try await body(element)) }
            }
            for try await (done, result) in group { results[done] = result }
            return indices.compactMap { results[$0] }
        }
    }
}

/// Templates of one AI step each.
enum ProbeTemplate {
    /// Writes them into a folder of their own: `probe-claude`, `probe-codex`, and with other deadlines `…-short` and
    /// `…-hasty`.
    static func folder(in folder: String) throws -> String {
        let templates = folder + "/templates"
        try FileManager.default.createDirectory(atPath: templates, withIntermediateDirectories: true)
        for (name, provider) in [("claude", "claude"), ("codex", "openai_codex")] {
            for (suffix, minutes) in [("", "5"), ("-short", "0.5"), ("-hasty", "0.1")] {
                let id = "probe-\(name)\(suffix)"
                try text(id, provider, minutes).write(
                    toFile: "\(templates)/\(id).yaml", atomically: true, encoding: .utf8)
            }
        }
        return templates
    }

    private static func text(_ id: String, _ provider: String, _ minutes: String) -> String {
        """
        template:
          metadata:
            {id: \(id), name: Probe, version: "1.0.0", description: One call., category: tools, complexity: beginner}
          configuration:
            required_inputs:
              - {key: subject, type: string, validation: '.{1,60}'}
          execution_steps:
            - step_id: 1
              name: Probe
              type: ai_call
              ai_provider: \(provider)
              prompt_template: Say something about [{{subject}}].
              expected_output: answer
              timeout_minutes: \(minutes)
          success_criteria:
            required_outputs: [answer]
        """
    }
}
