import Domain
import Foundation
import Outbound
import Testing

@testable import App

/// One answer, cut after each of its events in turn and inside its characters, by a reset and in good order: it is never
/// taken for a whole one, what is known of its price is kept, and the next attempt succeeds.
@Suite(.timeLimit(.minutes(3))) struct CutStreamTests {
    private struct Cut: Sendable {
        let provider: String
        let kind: String
        let events: Int

        /// Characters of one to four bytes; the same length for each, so that each answer has the same events.
        var subject: String {
            let number = events < 10 ? "0\(events)" : "\(events)"
            return "Grüße, 世界 👋 \(provider) \(kind) \(number)" + String(repeating: "·", count: 20 - kind.count)
        }
    }

    private static let kinds = ["cut", "cut_in_character", "end_early"]

    @Test func `an answer that is cut anywhere is no answer`() async throws {
        let transport = APIClient.transport()
        let folder = try Program.folder("cut-streams")
        let host = try HostProcess(
            ["--sandbox", "--templates", try ProbeTemplate.folder(in: folder)], dataDirectory: folder + "/data",
            transport: transport)
        let client = try await host.client.registered()
        let sandbox = APIClient(transport: transport, base: try #require(host.sandbox))
        var cuts: [Cut] = []
        for provider in ["claude", "codex"] {
            let whole = Cut(provider: provider, kind: "whole", events: 0)
            try check(try await client.run("probe-\(provider)", ["subject": .string(whole.subject)]), whole)
            let events = try #require(try await sandbox.calls().last?["events"]?.integerValue)
            try #require(events > 6)
            cuts += Self.kinds.flatMap { kind in
                (0..<Int(events)).map { Cut(provider: provider, kind: kind, events: $0) }
            }
        }
        for cut in cuts {
            let answer = try await sandbox.post(
                "/faults",
                [
                    "provider": cut.provider == "claude" ? "anthropic" : "openai", "kind": .string(cut.kind),
                    "after_events": .integer(Int64(cut.events)), "match": .string("[\(cut.subject)]"),
                ])
            #expect(answer.status == 201, "\(answer.body.text)")
        }
        _ = try await cuts.atOnce { cut in
            try check(try await client.run("probe-\(cut.provider)", ["subject": .string(cut.subject)]), cut)
        }
        let ledger = try await sandbox.calls()
        #expect(host.stop() == 0)
        await transport.shutdown()
        let books = try await Books.calls(in: folder + "/data")
        for cut in cuts {
            try check(cut, ledger.filter { $0["prompt"]?.stringValue?.contains("[\(cut.subject)]") == true }, books)
        }
    }

    /// The run has the whole answer, to its last character.
    private func check(_ run: JSON, _ cut: Cut) throws {
        #expect(run["status"] == "completed", "\(cut): \(run.text)")
        let answer = try #require(run["result"]?["answer"], "\(cut): \(run.text)")
        let words = "Say something about [\(cut.subject)]."
        #expect(answer["summary"]?.stringValue == "Sandbox answer to: \(words)", "\(cut)")
        let content = try #require(answer["files"]?.arrayValue?.first?["content"]?.stringValue, "\(cut)")
        #expect(content.hasPrefix("# \(words)\n") && content.hasSuffix("nothing was paid.\n"), "\(cut)")
    }

    private func check(_ cut: Cut, _ calls: [JSON], _ books: [JSON]) throws {
        try #require(calls.count == 2, "\(cut): \(calls.map(\.text))")
        #expect(calls[0]["events"]?.integerValue == Int64(cut.events), "\(cut)")
        #expect(calls[0]["state"]?.stringValue == (cut.kind == "end_early" ? "finished" : "cut_by_sandbox"))
        #expect(calls[0]["stop_reason"] == .null && calls[1]["stop_reason"]?.isNull == false, "\(cut)")
        let rows = try calls.map { call in try #require(books.first { $0["id"] == call["call_id"] }, "\(cut)") }
        // Anthropic states its usage in the first event, OpenAI in the last.
        let isStated = cut.provider == "claude" && cut.events > 0
        #expect(rows[0]["state"]?.stringValue == (isStated ? "estimated" : "unknown"), "\(cut): \(rows[0].text)")
        if isStated { #expect(rows[0]["input_tokens"] == calls[0]["usage"]?["input_tokens"], "\(cut)") }
        #expect(rows[1]["state"] == "settled", "\(cut)")
        #expect(rows[1]["output_tokens"] == calls[1]["usage"]?["output_tokens"], "\(cut)")
    }
}
