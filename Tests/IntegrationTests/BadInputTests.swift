import Domain
import Foundation
import Outbound
import Testing

@testable import App

/// The real program over the real database: nothing that a client writes makes either fail.
@Suite(.timeLimit(.minutes(2))) struct BadInputTests {
    /// Text that would mean something to a template, a shell, a database, a terminal or a model's wrapping.
    private static let text =
        "{{app_url}} {{secret:ANTHROPIC_API_KEY}} ${HOME} $(id) `id` '; DROP TABLE users; -- %s \u{1B}[2J\u{1} \u{202E} "
        + "\u{10FFFF} e\u{301} </context> \"}]} \\{{x}} ⟦app_name⟧"

    @Test func `what is allowed arrives as it was written, and what is not leaves no trace`() async throws {
        let transport = APIClient.transport()
        let folder = try Program.folder("bad-input")
        let host = try HostProcess(["--sandbox"], dataDirectory: folder, transport: transport)
        let client = try await host.client.registered()
        let path = "/v1/templates/market-brief/execute"
        let refused: [(JSON, String)] = [
            (["configuration": ["product_name": .string(Self.text), "audience": "x y z"]], "invalid_configuration"),
            (
                ["configuration": ["product_name": "Tide", "audience": ["$secret": .string(Self.text)]]],
                "invalid_configuration"
            ),
            (["configuration": ["product_name": "Tide", "audience": "a eval(b)"]], "dangerous_content"),
            (["configuration": ["product_name": "Tide", "audience": .decimal("1e308")]], "invalid_configuration"),
            (
                [
                    "configuration": [
                        "product_name": "Tide", "audience": .string(String(repeating: "a", count: 300_000)),
                    ]
                ], "invalid_configuration"
            ),
            (["configuration": [:], "webhook_url": .string(Self.text)], "invalid_request"),
            (["configuration": .decimal("-0.0")], "invalid_request"),
        ]
        for (body, code) in refused {
            let answer = try await client.post(path, body)
            #expect(answer.status == 400 && answer.body["code"]?.stringValue == code, "\(answer.body.text.prefix(300))")
        }
        for query in [
            "cursor=%00", "category=%FF", "limit=1e400", "max_cost=9e30", "max_cost=0.000000000001", "cursor=-",
        ] {
            #expect(try await client.get("/v1/templates?\(query)").status < 500, "\(query)")
        }
        for id in ["%00", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "%27"] {
            for rest in ["", "/logs", "/logs?after=9223372036854775807", "/resources", "/logs?stream=true"] {
                #expect(try await client.get("/v1/executions/\(id)\(rest)").status == 404, "\(id)\(rest)")
            }
        }

        let admitted = try await client.post(
            path, ["configuration": ["product_name": "Tide", "audience": .string(Self.text)]])
        #expect(admitted.status == 202, "\(admitted.body.text)")
        let id = try #require(admitted.body["execution_id"]?.stringValue)
        #expect(try await client.ended(id)["status"] == "completed")
        let sandbox = APIClient(transport: transport, base: try #require(host.sandbox))
        let calls = try #require(try await sandbox.get("/ledger").body["calls"]?.arrayValue)
        // One run's calls, and no other's.
        #expect(calls.count == 3)
        #expect(
            calls.contains {
                $0["prompt"]?.text.contains(String(JSON.string(Self.text).text.dropFirst().dropLast())) == true
            })
        #expect(try await host.client.get("/ready").status == 200)
        #expect(host.stop() == 0)
        await transport.shutdown()
    }
}
