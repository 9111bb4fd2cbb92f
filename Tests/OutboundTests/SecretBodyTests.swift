import Domain
import Synchronization
import Testing

@testable import Outbound

@Suite(.timeLimit(.minutes(1))) struct SecretBodyTests {
    private static let id = "0198c0de-0000-7000-8000-000000000001"
    private let scope = SecretScope(["KEY": .init("sk-live-1"), "SIGNING": .init("hmac-only", uses: [.hmac])])
        .adding([id: "p\"w/\\1", "short": "é", "nested": "{{secret:short}}", "empty": ""])

    private func filled(
        _ body: String, from secrets: SecretScope? = nil, limit: Int = OutboundRequest.maximumBodyBytes
    ) throws(ProviderError) -> String {
        let target = try RequestTarget("https://api.example.com/v1")
        return String(
            decoding: try SecretBody.filled(
                Array(body.utf8), from: secrets ?? scope, egress: EgressPolicy(hosts: ["api.example.com"]),
                target: target, limit: limit), as: UTF8.self)
    }

    @Test(arguments: [
        ("{{secret:\(id)}}", #"p\"w/\\1"#),
        (#"{"a":"{{secret:short}}","b":"x{{secret:short}}"}"#, #"{"a":"é","b":"xé"}"#),
        ("{{secret:empty}}", ""), ("", ""), ("plain {} {{x}}", "plain {} {{x}}"),
        // What a secret holds is not interpreted again, and a mark may follow what looks like one.
        ("{{secret:nested}}", "{{secret:short}}"), ("{{{secret:short}}}", "{é}"),
        ("{{secret:{{secret:short}}", "{{secret:é"), ("{{secret:no }}{{secret:short}}", "{{secret:no }}é"),
        // A plugin's own secrets stay out, and so does everything that is no mark of this call.
        ("{{secret:KEY}}", "{{secret:KEY}}"), ("{{secret:SIGNING}}", "{{secret:SIGNING}}"),
        ("{{secret:0198c0de-0000-7000-8000-000000000002}}", "{{secret:0198c0de-0000-7000-8000-000000000002}}"),
        ("{{secret:}}", "{{secret:}}"), ("{{secret:short", "{{secret:short"),
        ("{{secret: short}}", "{{secret: short}}"), ("{", "{"), ("{{secret", "{{secret"),
        ("{{SECRET:short}}", "{{SECRET:short}}"),
    ])
    func fillsTheSecretsOfTheCallAlone(body: String, expected: String) throws {
        #expect(try filled(body) == expected)
    }

    @Test func aBodyThatIsNoTextPassesAsItIs() throws {
        let target = try RequestTarget("https://api.example.com/")
        let body: [UInt8] = [0xFF, 0x7B, 0x7B, 0x00] + Array("{{secret:\u{0}}}".utf8) + [0xFE]
        let filled = try SecretBody.filled(body, from: scope, egress: EgressPolicy(), target: target)
        #expect(filled == body)
    }

    @Test func theBoundHoldsAfterFilling() throws {
        let secrets = SecretScope.none.adding(["big": String(repeating: "v", count: 1_000)])
        let body = String(repeating: "{{secret:big}}", count: 8)
        #expect(try filled(body, from: secrets, limit: 8_000).utf8.count == 8_000)
        let error = #expect(throws: ProviderError.self) { try filled(body + "x", from: secrets, limit: 8_000) }
        #expect(error?.code == .limit && error?.isRetryable == false)
    }

    @Test func aSecretGoesOnlyWhereItsPluginMaySendIt() throws {
        let target = try RequestTarget("https://evil.example/")
        let error = #expect(throws: ProviderError.self) {
            try SecretBody.filled(
                Array("{{secret:short}}".utf8), from: scope, egress: EgressPolicy(hosts: ["api.example.com"]),
                target: target)
        }
        #expect(error?.code == .denied && error?.message.contains("é") == false)
    }

    /// A server that answers with what it was sent, in each of the spellings of JSON.
    @Test func goesOutFilledAndComesBackScrubbed() async throws {
        let seen = Mutex<(Connection.Request, String)?>(nil)
        let server = LoopbackServer { connection in
            guard let head = connection.readHead() else { return }
            let body = String(decoding: connection.readBody(of: head), as: UTF8.self)
            seen.withLock { $0 = (head, body) }
            connection.answer(
                body + #" p"w/\1 "# + body.replacing("/", with: "\\/"), headers: ["X-Echo: \(head["x-key"] ?? "")"])
        }
        var request = OutboundRequest.to(
            server.origin, method: "POST", headers: [.init("X-Key", "{{secret:\(Self.id)}}")],
            body: .bytes(Array(#"{"p":"{{secret:\#(Self.id)}}","k":"{{secret:KEY}}"}"#.utf8)), secrets: scope)
        request.fillsSecretsInBody = true
        let answer = try await withClient { await $0.answer(to: request) }
        let (head, body) = try #require(seen.withLock { $0 })
        #expect(head["x-key"] == #"p"w/\1"#)
        #expect(body == #"{"p":"p\"w/\\1","k":"{{secret:KEY}}"}"#)
        #expect(head["content-length"] == "\(body.utf8.count)")
        let clean = #"{"p":"[secret]","k":"{{secret:KEY}}"}"#
        #expect(answer.text == "\(clean) [secret] \(clean)")
        #expect(answer["x-echo"] == "[secret]")
    }

    @Test func withoutTheWordABodyStaysAsItIs() async throws {
        let server = LoopbackServer { connection in
            guard let head = connection.readHead() else { return }
            connection.answer(String(decoding: connection.readBody(of: head), as: UTF8.self))
        }
        let request = OutboundRequest.to(
            server.origin, method: "POST", body: .bytes(Array("{{secret:id}}".utf8)),
            secrets: SecretScope.none.adding(["id": "value"]))
        #expect(try await withClient { await $0.answer(to: request) }.text == "{{secret:id}}")
    }

    /// In a header the same mark asks for what is not granted.
    @Test func aHeaderMayNotNameAnUnknownSecret() async throws {
        let request = OutboundRequest.to(
            "http://127.0.0.1:1", headers: [.init("X", "{{secret:0198c0de-0000-7000-8000-000000000002}}")],
            secrets: scope)
        #expect(try await withClient { await $0.answer(to: request) }.error?.code == .denied)
    }
}
