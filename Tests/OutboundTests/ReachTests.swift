import Domain
import Synchronization
import Testing

@testable import Outbound

/// Requests to addresses that a client chose.
@Suite(.timeLimit(.minutes(1))) struct ReachTests {
    private static let name = "hooks.example.com"

    /// A client to which the name is at these addresses.
    private func configuration(
        _ server: LoopbackServer, addresses: String = "127.0.0.1", proxy: Proxy = .none
    ) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(proxy: proxy)
        configuration.addresses = ["\(Self.name):\(server.port):\(addresses)"]
        return configuration
    }

    private func request(
        _ url: String, _ reach: EgressPolicy.Reach, method: String = "GET", origins: [String] = [],
        headers: [OutboundRequest.Header] = [], secrets: SecretScope = .none
    ) -> OutboundRequest {
        OutboundRequest(
            method: method, url: url, headers: headers, timeout: .seconds(20),
            egress: EgressPolicy(origins: origins, reach: reach), secrets: secrets)
    }

    private func server() -> LoopbackServer {
        LoopbackServer { connection in
            while let head = connection.readHead() { connection.answer(head.line) }
        }
    }

    private func verdict(_ url: String, _ reach: EgressPolicy.Reach) -> ProviderError? {
        do throws(ProviderError) {
            let target = try RequestTarget(url)
            try EgressPolicy(reach: reach).check(target)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        "https://hooks.example.com/x", "http://hooks.example.com:8080/", "https://8.8.8.8/", "http://134744072/",
        "https://[2606:4700:4700::1111]:8443/", "https://localhost.example.com/", "https://local.host/",
        "https://internal.example/",
    ])
    func whatMayBePublicIsTried(url: String) {
        #expect(verdict(url, .anyPublic) == nil && verdict(url, .any) == nil)
        #expect(verdict(url, .listed)?.code == .denied)
    }

    @Test(arguments: [
        "http://127.0.0.1/", "https://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/",
        "http://0/", "https://10.0.0.1/", "http://169.254.169.254/latest/meta-data", "http://[::1]:9000/",
        "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[64:ff9b::7f00:1]/",
        "http://[fd00::1]/",
        "http://localhost/", "http://LOCALHOST:8080/", "http://a.localhost/", "http://printer.local/",
        "http://metadata.google.internal/", "http://router.home.arpa/", "http://intranet/",
    ])
    func whatCannotBePublicIsRefusedByItsName(url: String) throws {
        let error = try #require(verdict(url, .anyPublic))
        #expect(error.code == .denied && !error.isRetryable && error.message.contains("not at a public address"))
        #expect(verdict(url, .any) == nil, "an operator may allow it")
    }

    @Test(arguments: [
        "ftp://hooks.example.com/", "file:///etc/passwd", "https://u:p@hooks.example.com/", "http://[fe80::1%25lo]/",
        "https://hooks.example.com#@127.0.0.1/", "",
    ])
    func noReachMendsABadURL(url: String) {
        #expect(verdict(url, .anyPublic) != nil && verdict(url, .any) != nil)
    }

    /// The name passes; the address that is to be connected to does not, and no connection is made.
    @Test(arguments: ["127.0.0.1", "[::ffff:127.0.0.1]", "[::1],127.0.0.1"])
    func aNameThatResolvesToAPrivateAddressIsNotConnected(addresses: String) async throws {
        let server = server()
        let url = "http://\(Self.name):\(server.port)/"
        try await withClient(configuration(server, addresses: addresses)) { client in
            let answer = await client.answer(to: request(url, .anyPublic, method: "POST"))
            #expect(answer.error?.code == .denied && answer.error?.isRetryable == false)
            #expect(answer.error?.message.contains("127.0.0.1") == false, "it does not tell what the name resolved to")
        }
        #expect(server.acceptedConnections == 0)
    }

    @Test func anyAddressIsReachedWhereTheOperatorAllowsIt() async throws {
        let server = server()
        try await withClient(configuration(server)) { client in
            for url in ["http://\(Self.name):\(server.port)/a", "\(server.origin)/a"] {
                let answer = await client.answer(to: request(url, .any))
                #expect(answer.status == 200 && answer.text == "GET /a HTTP/1.1")
            }
        }
    }

    /// A connection kept from a request that was allowed to is no way around.
    @Test func aKeptConnectionIsNotUsed() async throws {
        let server = server()
        let url = "http://\(Self.name):\(server.port)/"
        try await withClient(configuration(server)) { client in
            #expect(await client.answer(to: request(url, .any)).status == 200)
            let answer = await client.answer(to: request(url, .anyPublic))
            #expect(answer.error?.code == .denied && answer.status == nil)
            #expect(await client.answer(to: request(url, .any)).status == 200)
        }
    }

    @Test func whatTheOperatorNamesIsAllowedBesideIt() async throws {
        let server = server()
        try await withClient { client in
            let answer = await client.answer(to: request(server.origin + "/", .anyPublic, origins: [server.origin]))
            #expect(answer.status == 200)
        }
    }

    /// The proxy is the operator's and may be private; what lies behind it is told by the URL alone.
    @Test(arguments: ["", "hooks.example.com", "127.0.0.1,hooks.example.com"])
    func throughAProxyTheNameDecides(bypass: String) async throws {
        let server = server()
        let proxy = Proxy(http: server.origin, bypass: bypass)
        try await withClient(configuration(server, proxy: proxy)) { client in
            let url = "http://\(Self.name):\(server.port)/x"
            let answer = await client.answer(to: request(url, .anyPublic))
            #expect(answer.text == "GET \(url) HTTP/1.1", "whatever is to be reached past the proxy")
            for url in [server.origin + "/", "http://localhost:\(server.port)/", "http://intranet/"] {
                #expect(await client.answer(to: request(url, .anyPublic)).error?.code == .denied)
            }
        }
        #expect(server.acceptedConnections == 1)
    }

    @Test(arguments: [Proxy(http: "http://127.0.0.1:1", bypass: "*"), Proxy(http: "")])
    func withoutAProxyTheAddressDecides(proxy: Proxy) async throws {
        let server = server()
        try await withClient(configuration(server, proxy: proxy)) { client in
            let answer = await client.answer(to: request("http://\(Self.name):\(server.port)/", .anyPublic))
            #expect(answer.error?.code == .denied)
        }
        #expect(server.acceptedConnections == 0)
    }

    /// Secrets go to what is named, not to wherever a request may.
    @Test(arguments: [EgressPolicy.Reach.any, .anyPublic])
    func noSecretGoesThere(reach: EgressPolicy.Reach) async throws {
        try await withClient { client in
            let answer = await client.answer(
                to: request(
                    "http://\(Self.name)/", reach, headers: [.init("X", "{{secret:KEY}}")],
                    secrets: SecretScope(["KEY": .init("sk-live-1")])))
            #expect(answer.error?.code == .denied && answer.error?.message.contains("the secret KEY") == true)
        }
    }
}
