import Domain
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Sandbox

@Suite(.timeLimit(.minutes(1))) struct FaultTests {
    @Test func statusFaultsAreMetInOrderAndThenOver() async throws {
        try await withSandbox { client in
            for fault: JSON in [
                ["kind": "status", "status": 429, "retry_after": "2"], ["kind": "status", "status": 401],
                ["kind": "status", "status": 500, "times": 2, "should_retry": false],
                ["kind": "status", "status": 529], ["kind": "status", "status": 502, "body": "<html>Bad gateway"],
            ] { #expect(try await client.call(.post, "/faults", fault).status == .created) }
            let limited = try await client.message(body(["stream": true]))
            #expect(limited.status == .tooManyRequests)
            #expect(limited.header("retry-after") == "2")
            #expect(try limited.json["error"]?["type"] == "rate_limit_error")
            #expect(try await client.message(body()).json["error"]?["type"] == "authentication_error")
            #expect(try await client.message(body()).json["error"]?["type"] == "api_error")
            #expect(try await client.message(body()).header("x-should-retry") == "false")
            let overloaded = try await client.message(body())
            #expect(overloaded.status.code == 529)
            #expect(try overloaded.json["error"]?["type"] == "overloaded_error")
            let page = try await client.message(body())
            #expect(page.status == .badGateway)
            #expect(page.text == "<html>Bad gateway")
            #expect(try await client.message(body()).status == .ok)
            #expect(try await client.call(.get, "/faults").json == ["faults": []])
            let statuses = try await client.ledger().map { $0["status"]?.integerValue }
            #expect(statuses == [429, 401, 500, 500, 529, 502, 200])
        }
    }

    @Test func aFaultWaitsForItsPrompt() async throws {
        try await withSandbox { client in
            _ = try await client.call(.post, "/faults", ["kind": "status", "status": 500, "match": "garage"])
            #expect(try await client.message(body()).status == .ok)
            #expect(try await client.message(body(["system": "a garage"])).status == .internalServerError)
        }
    }

    @Test func streamsAreCutBrokenAndOverloadedInTheMiddle() async throws {
        try await withSandbox { client in
            for kind in ["cut", "invalid_json", "overloaded_in_stream"] {
                _ = try await client.call(.post, "/faults", ["kind": .string(kind)])
            }
            await #expect(throws: (any Error).self) { try await client.message(body(["stream": true])) }
            let broken = try await client.message(body(["stream": true]))
            #expect(throws: JSONError.self) { try broken.events }
            let overloaded = try await client.message(body(["stream": true])).events
            #expect(overloaded.last?.name == "error")
            #expect(overloaded.last?.data["error"]?["type"] == "overloaded_error")
            #expect(overloaded.count == 5)
            let calls = try await client.ledger()
            #expect(calls.map { $0["state"] } == ["cut_by_sandbox", "finished", "finished"])
            #expect(calls.allSatisfy { $0["stop_reason"] == .null && $0["usage"]?["input_tokens"] == 5 })
        }
    }

    @Test func answersInOnePieceFailToo() async throws {
        try await withSandbox { client in
            for kind in ["cut", "invalid_json", "overloaded_in_stream"] {
                _ = try await client.call(.post, "/faults", ["kind": .string(kind)])
            }
            await #expect(throws: (any Error).self) { try await client.message(body()) }
            let broken = try await client.message(body())
            #expect(broken.status == .ok)
            #expect(throws: JSONError.self) { try broken.json }
            #expect(try await client.message(body()).status.code == 529)
        }
    }

    @Test func aStallLastsUntilItIsDeleted() async throws {
        try await withSandbox { client in
            let fault = try await client.call(.post, "/faults", ["kind": "stall", "after_events": 2]).json
            let id = try #require(fault["id"]?.integerValue)
            async let response = client.message(body(["stream": true]))
            while try await client.call(.get, "/faults").json["faults"]?.arrayValue?.first?["stalled"] == [] {}
            #expect(try await client.ledger().first?["state"] == "in_flight")
            #expect(try await client.call(.delete, "/faults/\(id)").status == .noContent)
            #expect(try await response.events.last?.name == "message_stop")
            #expect(try await client.call(.delete, "/faults/\(id)").status == .notFound)
        }
    }

    @Test func refusesFaultsThatMakeNoSense() async throws {
        let cases: [(JSON, String)] = [
            ([], "JSON object"), (["kind": "fire"], "kind must be one of"), ([:], "kind must be one of"),
            (["kind": "status"], "needs a status"), (["kind": "status", "status": 200], "from 300 to 599"),
            (["kind": "cut", "status": 500], "status goes with kind status only"),
            (["kind": "cut", "times": 0], "times must be"), (["kind": "cut", "after_events": -1], "after_events"),
            (["kind": "cut", "match": ""], "match must be"),
            (["kind": "cut", "whom": "me"], "unknown member \"whom\""),
            (["kind": "cut", "provider": "acme"], "unknown provider \"acme\"; the sandbox plays anthropic"),
            (["kind": "status", "status": 500, "should_retry": "no"], "should_retry"),
            (["kind": "lost_response", "after_events": 1], "after_events does not go with kind lost_response"),
            (["kind": "build_failed"], "overloaded_in_stream, wrong_schema, prose for anthropic"),
            (["kind": "prose", "provider": "railway"], "unreachable, domain_conflict for railway"),
        ]
        try await withSandbox { client in
            for (fault, word) in cases {
                let response = try await client.call(.post, "/faults", fault)
                #expect(response.status == .badRequest, "\(fault.text)")
                #expect(try response.json["error"]?.stringValue?.contains(word) == true, "\(response.text)")
            }
            #expect(try await client.call(.delete, "/faults/x").status == .badRequest)
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct GateTests {
    @Test func callsBehindOneGateOverlapForCertain() async throws {
        try await withSandbox { client in
            let gate = try await client.call(.post, "/gates", ["match": "bakery"]).json["id"]?.integerValue ?? 0
            async let first = client.message(body(["stream": true]), headers: ["x-aibackend-call-id": "a"])
            async let second = client.message(body(["stream": true]), headers: ["x-aibackend-call-id": "b"])
            let held = try await client.call(.get, "/gates/\(gate)?held=2").json
            #expect(held["held"] == [1, 2])
            // One that the gate does not match passes by meanwhile.
            let other = try await client.message(body(["messages": [["role": "user", "content": "x"]]]))
            #expect(other.status == .ok)
            #expect(try await client.call(.delete, "/gates/\(gate)").status == .noContent)
            #expect(try await first.status == .ok)
            #expect(try await second.status == .ok)
            let calls = try await client.ledger()
            #expect(Set(calls.prefix(2).compactMap { $0["call_id"]?.stringValue }) == ["a", "b"])
            #expect(calls[0]["overlap"] == [2, 3])
            #expect(calls[1]["overlap"] == [1, 3])
            #expect(calls[2]["overlap"] == [1, 2])
            #expect(calls.allSatisfy { $0["finished_at"]?.stringValue != nil })
        }
    }

    @Test(arguments: [0, 4]) func aClientThatGoesWhileItsCallIsHeldIsNoticed(afterEvents: Int64) async throws {
        try await withSandbox { client in
            let gate = try await client.call(.post, "/gates", ["after_events": .integer(afterEvents)]).json["id"]?
                .integerValue
            let port = try #require(client.http.port)
            try await TestClient.withClient(host: "localhost", port: port) { raw in
                try await raw.executeAndDontWaitForResponse(
                    .init(
                        SandboxClient.messages, method: .post, authority: "localhost",
                        headers: SandboxClient.fields(SandboxClient.goodHeaders),
                        body: ByteBuffer(bytes: body(["stream": true]).bytes)))
                _ = try await client.call(.get, "/gates/\(gate ?? 0)?held=1")
            }
            let entry = try await client.ledgerEntry(0, in: "cut_by_client")
            #expect(entry["finished_at"] == .null)
            #expect(entry["prompt"] == "Plan a bakery shop")
            #expect((entry["usage"] == .null) == (afterEvents == 0), "what went out was paid for")
            // The gate still stands, and nobody waits behind it.
            #expect(try await client.call(.get, "/gates/\(gate ?? 0)").json["held"] == [])
        }
    }

    @Test func `a gate lets calls of any provider pass before it holds one`() async throws {
        try await withSandbox { client in
            let gate = try await client.call(.post, "/gates", ["provider": "any", "passing": 1])
            #expect(try gate.json["provider"] == "any" && gate.json["passing"] == 1)
            let id = try gate.json["id"]?.integerValue ?? 0
            #expect(try await client.message(body()).status == .ok)
            async let held = client.message(body())
            #expect(try await client.call(.get, "/gates/\(id)?held=1").json["held"] == [2])
            #expect(try await client.call(.delete, "/gates/\(id)").status == .noContent)
            #expect(try await held.status == .ok)
        }
    }

    @Test(arguments: [true, false]) func `a call is held once it is carried out`(isStreamed: Bool) async throws {
        try await withSandbox { client in
            let gate = try await client.call(.post, "/gates", ["when_done": true]).json["id"]?.integerValue ?? 0
            async let held = client.message(body(["stream": .bool(isStreamed)]))
            _ = try await client.call(.get, "/gates/\(gate)?held=1")
            // For the provider it is over, and paid for.
            let entry = try await client.ledgerEntry(0, in: "finished")
            #expect(entry["usage"] != .null && entry["stop_reason"] != .null)
            #expect(try await client.call(.delete, "/gates/\(gate)").status == .noContent)
            #expect(try await held.status == .ok)
        }
    }

    @Test func refusesWhatIsNoGate() async throws {
        try await withSandbox { client in
            #expect(try await client.call(.post, "/gates", ["after_events": "x"]).status == .badRequest)
            #expect(
                try await client.call(.post, "/gates", ["after_events": 1, "when_done": true]).status == .badRequest)
            #expect(try await client.call(.post, "/gates", ["provider": "nobody"]).status == .badRequest)
            #expect(try await client.call(.get, "/gates/7").status == .notFound)
            #expect(try await client.call(.delete, "/gates/7").status == .notFound)
            let id = try await client.call(.post, "/gates", [:]).json["id"]?.integerValue ?? 0
            #expect(try await client.call(.get, "/gates/\(id)?held=some").status == .badRequest)
            #expect(try await client.call(.get, "/gates").json["gates"]?.arrayValue?.count == 1)
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct LedgerTests {
    @Test func recordsWhatWasAskedAndAnsweredButNeverAKey() async throws {
        let clock = ManualClock()
        try await withSandbox(wallClock: clock) { client in
            _ = try await client.message(
                body(["system": "Be brief.", "stream": true]), headers: ["x-aibackend-call-id": "call-1"])
            _ = try await client.call(
                .post, SandboxClient.messages, body(), headers: ["authorization": "Bearer sk-ant-secret"])
            let ledger = try await client.call(.get, "/ledger")
            let calls = try ledger.json["calls"]?.arrayValue ?? []
            #expect(calls.count == 2)
            #expect(calls[0]["call_id"] == "call-1")
            #expect(calls[0]["provider"] == "anthropic")
            #expect(calls[0]["path"] == "/v1/messages")
            #expect(calls[0]["model"] == "claude-sonnet-5-5")
            #expect(calls[0]["prompt"] == "Be brief.\nPlan a bakery shop")
            #expect(calls[0]["state"] == "finished")
            #expect(calls[0]["status"] == 200)
            #expect(calls[0]["stop_reason"] == "end_turn")
            #expect(calls[0]["usage"]?["input_tokens"] == 8)
            #expect(calls[0]["received_at"] == "2027-01-15T08:00:00.000Z")
            #expect(calls[0]["finished_at"] == "2027-01-15T08:00:00.000Z")
            #expect(calls[1]["call_id"] == .null)
            #expect(calls[1]["status"] == 400)
            #expect(!ledger.text.contains("sk-ant"))
            #expect(try await client.call(.delete, "/ledger").status == .noContent)
            #expect(try await client.call(.get, "/ledger").json == ["total": 2, "calls": []])
            _ = try await client.message(body())
            #expect(try await client.ledger().map { $0["sequence"] } == [3])
        }
    }

    @Test func keepsTheLatestCallsOnly() {
        let ledger = Ledger(wallClock: ManualClock())
        for _ in 0..<(Ledger.capacity + 5) {
            ledger.close(ledger.open(.anthropic, path: "/v1/messages", callID: nil), .finished, status: 200)
        }
        let calls = ledger.json["calls"]?.arrayValue ?? []
        #expect(calls.count == Ledger.capacity)
        #expect(calls.first?["sequence"] == 6)
        let huge = String(repeating: "x", count: Ledger.promptCapacity)
        ledger.describe(ledger.open(.anthropic, path: "/", callID: nil), model: "m", prompt: huge)
        #expect(ledger.json["calls"]?.arrayValue?.count == Ledger.capacity)
        ledger.describe(ledger.open(.anthropic, path: "/", callID: nil), model: "m", prompt: "y")
        #expect(ledger.json["calls"]?.arrayValue?.map { $0["prompt"] } == ["y"], "the oldest leave until it fits")
    }
}
