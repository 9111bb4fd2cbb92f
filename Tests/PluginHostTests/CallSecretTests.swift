import Domain
import Testing

@testable import PluginHost

/// The secrets of one call: the plugin names them by their ids, and the host fills them in.
@Suite struct CallSecretTests {
    private static let key = RouteKey.command("run", provider: "fixture")
    private static let id = "0198c0de-0000-7000-8000-000000000001"
    private static let value = "p\"w/\\1"

    private func load(
        _ transport: FakeTransport = FakeTransport(), log: LogKeeper = LogKeeper()
    ) async throws -> PluginRegistry {
        let registry = PluginRegistry.test(transport: transport, log: log, grace: .seconds(10))
        let secrets = SecretScope(["FIXTURE_KEY": .init("s3cr3t-value", uses: [.http, .hmac])])
        try #require(await registry.refusal(of: try Fixture.swift(), PluginSettings(secrets: secrets)) == nil)
        return registry
    }

    @Test func areGrantedToTheRequestsOfTheirCallAlone() async throws {
        let transport = FakeTransport()
        let registry = try await load(transport)
        let input: JSON = ["do": "send_secret", "password": ["$secret": .string(Self.id)]]
        for secrets in [[Self.id: Self.value], [:]] {
            _ = try await registry.call(Self.key, input, secrets: secrets)
            let request = try #require(transport.transfers.last).request
            #expect(request.fillsSecretsInBody)
            #expect(request.headers == [.init("x-password", "{{secret:\(Self.id)}}")], "the plugin sees no value")
            #expect(request.secrets.value(of: Self.id, for: .http) == secrets[Self.id])
            #expect(request.secrets.value(of: Self.id, for: .body) == secrets[Self.id])
            #expect(request.secrets.value(of: Self.id, for: .hmac) == nil)
            #expect(request.secrets.value(of: "FIXTURE_KEY", for: .http) == "s3cr3t-value")
            #expect(request.secrets.value(of: "FIXTURE_KEY", for: .body) == nil, "its own is for headers")
        }
        await registry.shutdown()
    }

    @Test func aBodyIsFilledOnlyWhereThePluginSaysSo() async throws {
        let transport = FakeTransport()
        let registry = try await load(transport)
        let password: JSON = ["$secret": .string(Self.id)]
        _ = try await registry.call(
            Self.key, ["do": "send_secret", "fills": false, "password": password], secrets: [Self.id: Self.value])
        #expect(transport.transfers.map(\.request.fillsSecretsInBody) == [false])
        for body in ["blob", "stream"] {
            let error = try await registry.error(
                Self.key, ["do": "send_secret", "as": .string(body), "password": password],
                secrets: [Self.id: Self.value])
            #expect(error?.code == .invalid, "only a body that is known can be filled in")
        }
        #expect(transport.transfers.count == 1)
        await registry.shutdown()
    }

    @Test(arguments: [value, #"p\"w/\\1"#, #"p\"w\/\\1"#, "s3cr3t-value"])
    func areRemovedFromWhatThePluginSays(spelling: String) async throws {
        let log = LogKeeper()
        let registry = try await load(log: log)
        let chunks = ChunkKeeper()
        let error = try await registry.error(
            Self.key, ["do": "tell", "text": .string("it is <\(spelling)>")], secrets: [Self.id: Self.value]
        ) { chunks.keep($0) }
        #expect(error?.message == "it is <[secret]>" && error?.providerRequestID == "it is <[secret]>")
        #expect(chunks.lines == [.init(stream: .deploy, message: "it is <[secret]>")])
        let line = try #require(log.all.first { $0.hasPrefix("info it is") })
        #expect(line.hasPrefix("info it is <[secret]> ") && line.contains(" said=it is <[secret]>"), "\(line)")
        await registry.shutdown()
    }

    @Test func doNotOutliveTheirCall() async throws {
        let registry = try await load()
        let error = try await registry.error(Self.key, ["do": "tell", "text": .string(Self.value)])
        #expect(error?.message == Self.value, "another call knows nothing of it")
        await registry.shutdown()
    }

    @Test func aNameThatIsTakenKeepsItsSecret() {
        let scope = SecretScope(["KEY": .init("own")]).adding(["KEY": "other", "id": "new"])
        #expect(scope.value(of: "KEY", for: .http) == "own" && scope.value(of: "KEY", for: .body) == nil)
        #expect(scope.names == ["KEY", "id"] && !"\(scope)".contains("new"))
    }
}
