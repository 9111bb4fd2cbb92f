import Domain
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Sandbox

@Suite(.timeLimit(.minutes(1))) struct OpenAIFaultTests {
    private static func plan(_ client: SandboxClient, _ fault: JSON) async throws {
        var members = fault.objectValue ?? JSONObject()
        members["provider"] = "openai"
        let response = try await client.call(.post, "/faults", .object(members))
        #expect(response.status == .created, "\(response.text)")
    }

    @Test func `status faults are met in order, by calls of their provider alone`() async throws {
        try await withSandbox { client in
            let quota = #"{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}"#
            for fault: JSON in [
                ["kind": "status", "status": 429, "retry_after": "2"],
                ["kind": "status", "status": 500, "should_retry": false], ["kind": "status", "status": 503],
                ["kind": "status", "status": 429, "body": .string(quota)],
            ] { try await Self.plan(client, fault) }
            #expect(try await client.message(body()).status == .ok)
            let limited = try await client.response(responsesBody(["stream": true]))
            #expect(limited.status == .tooManyRequests && limited.header("retry-after") == "2")
            #expect(try limited.json["error"]?["code"] == "rate_limit_exceeded")
            let failed = try await client.response(responsesBody())
            #expect(failed.status == .internalServerError && failed.header("x-should-retry") == "false")
            #expect(try failed.json["error"]?["type"] == "server_error")
            #expect(try await client.response(responsesBody()).status == .serviceUnavailable)
            let empty = try await client.response(responsesBody())
            #expect(empty.status == .tooManyRequests && empty.header("content-type") == "application/json")
            #expect(try empty.json["error"]?["code"] == "insufficient_quota")
            #expect(try await client.response(responsesBody()).status == .ok)
            let calls = try await client.ledger()
            #expect(calls.map { $0["provider"] } == ["anthropic"] + Array(repeating: "openai", count: 5))
            #expect(calls.map { $0["status"]?.integerValue } == [200, 429, 500, 503, 429, 200])
        }
    }

    @Test func `streams are cut, broken and failed in the middle`() async throws {
        try await withSandbox { client in
            for kind in ["cut", "invalid_json", "overloaded_in_stream"] {
                try await Self.plan(client, ["kind": .string(kind)])
            }
            await #expect(throws: (any Error).self) { try await client.response(responsesBody(["stream": true])) }
            let broken = try await client.response(responsesBody(["stream": true]))
            #expect(throws: JSONError.self) { try broken.events }
            let failed = try await client.response(responsesBody(["stream": true])).events
            #expect(failed.count == 5 && failed.last?.name == "error")
            #expect(failed.last?.data["code"] == "server_error" && failed.last?.data["sequence_number"] == 4)
            let calls = try await client.ledger()
            #expect(calls.map { $0["state"] } == ["cut_by_sandbox", "finished", "finished"])
            #expect(calls.allSatisfy { $0["stop_reason"] == .null && $0["usage"]?["input_tokens"] == 5 })
        }
    }

    @Test func `answers in one piece fail too`() async throws {
        try await withSandbox { client in
            for kind in ["cut", "invalid_json", "overloaded_in_stream"] {
                try await Self.plan(client, ["kind": .string(kind)])
            }
            await #expect(throws: (any Error).self) { try await client.response(responsesBody()) }
            let broken = try await client.response(responsesBody())
            #expect(broken.status == .ok)
            #expect(throws: JSONError.self) { try broken.json }
            #expect(try await client.response(responsesBody()).status == .serviceUnavailable)
        }
    }

    @Test func `a stall lasts until it is deleted`() async throws {
        try await withSandbox { client in
            try await Self.plan(client, ["kind": "stall", "after_events": 2])
            async let response = client.response(responsesBody(["stream": true]))
            while try await client.call(.get, "/faults").json["faults"]?.arrayValue?.first?["stalled"] == [] {}
            #expect(try await client.ledger().first?["state"] == "in_flight")
            #expect(try await client.call(.delete, "/faults/1").status == .noContent)
            #expect(try await response.events.last?.name == "response.completed")
        }
    }

    @Test func `a gate holds the calls of its provider, and the ledger has both providers' calls`() async throws {
        try await withSandbox { client in
            let gate = try await client.call(.post, "/gates", ["provider": "openai"]).json["id"]?.integerValue ?? 0
            async let held = client.response(responsesBody(), headers: ["x-client-request-id": "call-1"])
            #expect(try await client.call(.get, "/gates/\(gate)?held=1").json["held"] == [1])
            #expect(try await client.message(body()).status == .ok)
            #expect(try await client.call(.delete, "/gates/\(gate)").status == .noContent)
            #expect(try await held.status == .ok)
            let calls = try await client.ledger()
            #expect(calls[0]["provider"] == "openai" && calls[0]["call_id"] == "call-1")
            #expect(calls[0]["path"] == "/v1/responses" && calls[0]["model"] == "gpt-5.3-codex")
            #expect(calls[0]["prompt"] == "Plan a bakery shop" && calls[0]["stop_reason"] == "completed")
            #expect(calls[0]["usage"]?["input_tokens"] == 5 && calls[0]["overlap"] == [2])
            #expect(calls[1]["provider"] == "anthropic")
        }
    }
}
