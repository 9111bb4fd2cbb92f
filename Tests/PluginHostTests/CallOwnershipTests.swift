import Domain
import Testing

@testable import PluginHost

/// A call of a run that may be another host's by now.
@Suite struct CallOwnershipTests {
    @Test func `a call whose host may act no more sends nothing more`() async throws {
        let transport = FakeTransport()
        let registry = PluginRegistry.test(transport: transport, grace: .seconds(10))
        let secrets = SecretScope(["FIXTURE_KEY": .init("s3cr3t-value", uses: [.http, .hmac])])
        try #require(await registry.refusal(of: try Fixture.swift(), PluginSettings(secrets: secrets)) == nil)
        let key = RouteKey.command("run", provider: "fixture")
        let input: JSON = ["do": "send_secret", "password": ["$secret": "0198c0de-0000-7000-8000-000000000001"]]
        for body in ["bytes", "blob"] {
            var asked = input
            if body == "blob" { asked = ["do": "send_blob"] }
            let now = SystemWallClock().now()
            let invocation = Invocation(
                route: try #require(registry.route(for: key)), callID: UUIDv7(at: now), input: asked, tenant: "t",
                attempt: 1, idempotencyKey: "k", deadline: now.advanced(by: .seconds(30)), mayAct: { false })
            await #expect(throws: ProviderError.self, "\(body)") {
                _ = try await registry.invoke(invocation) { _ in }
            }
        }
        #expect(transport.transfers.isEmpty)
        _ = try await registry.call(key, input)
        #expect(transport.transfers.count == 1)
        await registry.shutdown()
    }
}
