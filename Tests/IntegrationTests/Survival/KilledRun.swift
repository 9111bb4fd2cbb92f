import Domain
import Foundation
import Outbound
import Testing

@testable import App

/// One run, and the hosts that are killed under it, one after the other on the same data directory.
struct KilledRun {
    let world: SurvivalWorld
    let account: APIClient
    let name: String
    private var host: HostProcess?
    private var id: String?
    private(set) var kills = 0
    /// Taken after each kill, before the next host starts.
    private(set) var records: [SurvivalRecord] = []

    var domain: String { APIClient.domain(of: name) }

    init(world: SurvivalWorld, account: APIClient, name: String) {
        (self.world, self.account, self.name) = (world, account, name)
    }

    /// Begins the run or goes on with it under a new host, and kills that at the instant.
    ///
    /// - Returns: where the run was; nil where it ended before the instant came.
    mutating func kill(at instant: KillPlan.Instant) async throws -> String? {
        let gate = try await closeGate(at: instant)
        let lines = records.last?.lines ?? 0
        let (id, client) = try await goOn()
        let hasCome = try await SurvivalWorld.first { [world] in
            if let gate {
                try await world.provider.waitUntilHeld(gate)
                return true
            }
            guard case .line(let number) = instant else { return false }
            return try await client.hasWritten(lines + number, of: id)
        } or: {
            _ = try await client.ended(id)
            return false
        }
        let held = try await gate.asyncMap { try await world.provider.heldCall($0) }
        if hasCome {
            host?.kill()
            host = nil
            kills += 1
            records.append(try await SurvivalRecord.take(id, in: world))
        }
        if let gate { try await world.provider.open(gate) }
        guard hasCome, let record = records.last else { return nil }
        return "\(record.finishedSteps.count) steps finished" + (held.map { ", \($0)" } ?? "")
    }

    /// Lets the run go on to its end, and the last host stop as it should.
    mutating func end() async throws -> JSON {
        let (id, client) = try await goOn()
        let execution = try await client.ended(id)
        #expect(host?.stop() == 0)
        host = nil
        return execution
    }

    private func closeGate(at instant: KillPlan.Instant) async throws -> Int64? {
        func gate(_ number: Int, whenDone: Bool) async throws -> Int64 {
            try await world.provider.close(
                ["provider": "any", "passing": .integer(Int64(number - 1)), "when_done": .bool(whenDone)])
        }
        return switch instant {
        case .arrival(let number): try await gate(number, whenDone: false)
        case .effect(let number): try await gate(number, whenDone: true)
        case .line: nil
        }
    }

    private mutating func goOn() async throws -> (id: String, client: APIClient) {
        let host = try host ?? world.startHost()
        self.host = host
        let client = world.client(account, at: host)
        let id: String
        if let known = self.id { id = known } else { id = try await client.beginSaaS(name) }
        self.id = id
        return (id, client)
    }
}

extension APIClient {
    /// What the first call that a gate holds asks for.
    fileprivate func heldCall(_ gate: Int64) async throws -> String {
        let sequence = try await get("/gates/\(gate)").body["held"]?.arrayValue?.first
        let call = try await calls().first { $0["sequence"] == sequence }
        return call?["provider"] == "railway"
            ? call?["prompt"]?.stringValue ?? ""
            : "\(call?["model"]?.stringValue ?? "no call"): \(call?.shortPrompt ?? "")"
    }

    /// Waits until the run's log has so many lines.
    fileprivate func hasWritten(_ lines: Int, of execution: String) async throws -> Bool {
        var count = 0
        for try await event in EventStream(client: self, path: "/v1/executions/\(execution)/logs?stream=true")
        where event.name == "log" {
            count += 1
            if count >= lines { return true }
        }
        return false
    }
}

extension JSON {
    /// The beginning of what a model is asked after its context.
    fileprivate var shortPrompt: String {
        let prompt = self["prompt"]?.stringValue ?? ""
        return String(prompt.components(separatedBy: "</context>").last?.drop { $0.isWhitespace }.prefix(40) ?? "")
    }
}
