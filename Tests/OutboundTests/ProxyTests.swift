import Domain
import Logging
import Outbound
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct ProxyTests {
    private static func recording(_ lines: AsyncStream<String>.Continuation) -> LoopbackServer {
        LoopbackServer { connection in
            guard let head = connection.readHead() else { return }
            lines.yield(head.line)
            // A tunnel is refused: what matters is that it was asked for.
            if head.line.hasPrefix("CONNECT") {
                connection.answer("", status: "403 Forbidden", headers: ["X-Secret: \(head["x"] ?? "absent")"])
            } else {
                connection.answer("through the proxy")
            }
        }
    }

    @Test func plainRequestsAreForwarded() async throws {
        let (lines, line) = AsyncStream.makeStream(of: String.self)
        let proxy = Self.recording(line)
        let configuration = HTTPClient.Configuration(proxy: .fromEnvironment(["http_proxy": proxy.origin]))
        let answer = try await withClient(configuration) { await $0.answer(to: .to("http://target.invalid", "/x")) }
        #expect(answer.text == "through the proxy")
        var iterator = lines.makeAsyncIterator()
        #expect(await iterator.next() == "GET http://target.invalid/x HTTP/1.1")
    }

    @Test func secureRequestsAskForATunnel() async throws {
        let (lines, line) = AsyncStream.makeStream(of: String.self)
        let proxy = Self.recording(line)
        let configuration = HTTPClient.Configuration(proxy: .fromEnvironment(["HTTPS_PROXY": proxy.origin]))
        let answer = try await withClient(configuration) { await $0.answer(to: .to("https://target.invalid")) }
        #expect(answer.status == nil, "the proxy's answer is not the target's")
        #expect(answer.error?.code == .upstream && answer.error?.isRetryable == true)
        var iterator = lines.makeAsyncIterator()
        #expect(await iterator.next() == "CONNECT target.invalid:443 HTTP/1.1")
    }

    @Test(arguments: ["127.0.0.1", "127.0.0.0/8", "*", "other.example,127.0.0.1"])
    func bypassedHostsAreReachedDirectly(bypass: String) async throws {
        let (_, line) = AsyncStream.makeStream(of: String.self)
        let proxy = Self.recording(line)
        let server = LoopbackServer { connection in
            _ = connection.readHead()
            connection.answer("direct")
        }
        let environment = ["http_proxy": proxy.origin, "NO_PROXY": bypass]
        let configuration = HTTPClient.Configuration(proxy: .fromEnvironment(environment))
        let answer = try await withClient(configuration) { await $0.answer(to: .to(server.origin)) }
        #expect(answer.text == "direct")
        #expect(proxy.acceptedConnections == 0)
    }

    @Test func aProxyThatCannotBeFoundDoesNotLeakItsPassword() async throws {
        let configuration = HTTPClient.Configuration(proxy: Proxy(http: "http://user:proxy-password@nowhere.invalid:1"))
        let answer = try await withClient(configuration) {
            await $0.answer(to: .to("http://target.invalid", timeout: .seconds(5)))
        }
        let error = try #require(answer.error)
        #expect(error.isRetryable)
        #expect(!error.message.contains("proxy-password"))
        #expect(!"\(configuration.proxy)".contains("proxy-password"))
    }

    /// libcurl's own words repeat the whole URL: "Unsupported proxy scheme for 'ftp://user:…'".
    @Test(arguments: [
        ("ftp://user:proxy-p%61ssword@127.0.0.1:1", "not by “ftp”"),
        ("gopher://user:proxy-p%61ssword@127.0.0.1:1", "not by “gopher”"),
        ("http://user:proxy-p%61ssword@", "names no host"), ("http://user:proxy-p%61ssword@:3128", "names no host"),
        ("http://user:proxy-p%61ss word@h:1", "a space or a control character"),
    ])
    func aProxyThatCannotBeUsedIsSaidSoWithoutItsPassword(url: String, words: String) async throws {
        let lines = LogLines()
        let proxy = Proxy(http: url)
        #expect(proxy.fault?.contains(words) == true && proxy.fault?.hasPrefix("http_proxy: ") == true)
        let answer = try await withClient(.init(proxy: proxy), logger: Logger(label: "test") { _ in lines }) {
            await $0.answer(to: .to("http://target.invalid", timeout: .seconds(5)))
        }
        let error = try #require(answer.error)
        #expect(error.message.contains("proxy"), "\(error)")
        #expect(lines.all.contains { $0.contains(words) }, "told when the client starts")
        for text in lines.all + ["\(error)"] {
            for part in ["user", "proxy-p", "ssword"] { #expect(!text.contains(part), "\(text)") }
        }
    }

    @Test(arguments: [
        "http://127.0.0.1:3128", "https://user:p%40ss@proxy.example", "socks5h://proxy.example:1080",
        "proxy.example:3128",
        "HTTP://[::1]:3128/",
    ])
    func proxiesThatCanBeUsed(url: String) {
        #expect(Proxy(http: url, https: url).fault == nil)
    }

    @Test(arguments: [
        (["http_proxy": "a", "HTTPS_PROXY": "b", "no_proxy": "c"], Proxy(http: "a", https: "b", bypass: "c")),
        (["ALL_PROXY": "a", "https_proxy": "b"], Proxy(http: "a", https: "b")),
        // An upper-case HTTP_PROXY may come from a request's Proxy header.
        (["HTTP_PROXY": "a", "http_proxy": ""], Proxy.none),
    ])
    func environment(variables: [String: String], expected: Proxy) {
        #expect(Proxy.fromEnvironment(variables) == expected)
    }
}
