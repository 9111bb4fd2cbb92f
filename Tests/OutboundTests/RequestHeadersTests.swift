import Domain
import Testing

@testable import Outbound

@Suite struct RequestHeadersTests {
    private let scope = SecretScope([
        "KEY": .init("sk-live-1"), "SIGNING": .init("hmac-only", uses: [.hmac]), "FILE": .init("sk-file\n"),
        "NESTED": .init("{{secret:KEY}}"), "BOUND": .init("sk-bound", hosts: ["api.example.com"]),
        "WILD": .init("sk-wild", hosts: ["*.models.example"]), "NOWHERE": .init("sk-nowhere", hosts: []),
    ])

    private let egress = EgressPolicy(
        hosts: ["api.example.com", "*.models.example"], origins: ["http://127.0.0.1:9000"])

    private func lines(
        _ headers: [OutboundRequest.Header], to url: String = "https://api.example.com/v1"
    ) throws(ProviderError) -> [String] {
        let target = try RequestTarget(url)
        return try RequestHeaders(headers, secrets: scope, egress: egress, target: target).lines
            .filter { $0 != "Expect:" }
    }

    /// A secret goes to its own hosts and to what the operator chose, not wherever the plugin may go.
    @Test(arguments: [
        ("BOUND", "https://api.example.com/", true), ("BOUND", "https://a.models.example/", false),
        ("BOUND", "http://127.0.0.1:9000/", true), ("WILD", "https://a.models.example/", true),
        ("WILD", "https://api.example.com/", false), ("NOWHERE", "https://api.example.com/", false),
        ("KEY", "https://a.models.example/", true), ("BOUND", "http://api.example.com/", false),
    ])
    func goesToItsHostsAlone(name: String, url: String, isSent: Bool) throws {
        let header = OutboundRequest.Header("X", "{{secret:\(name)}}")
        guard !isSent else { return #expect(try lines([header], to: url).count == 1) }
        let error = try #require(throws: ProviderError.self) { try lines([header], to: url) }
        #expect(error.code == .denied && error.message.contains("the secret \(name) may not be sent to"))
        #expect(!error.message.contains("sk-"))
    }

    @Test(arguments: [
        ("{{secret:KEY}}", "X: sk-live-1"), ("Bearer {{secret:KEY}}", "X: Bearer sk-live-1"),
        ("{{secret:KEY}}-{{secret:KEY}}", "X: sk-live-1-sk-live-1"), ("{{other}}", "X: {{other}}"),
        ("{{{secret:KEY}}}", "X: {sk-live-1}"),
        // What a secret holds is not interpreted again.
        ("{{secret:NESTED}}", "X: {{secret:KEY}}"), ("", "X;"), ("  ", "X;"),
    ])
    func fills(value: String, line: String) throws {
        #expect(try lines([.init("X", value)]) == [line])
    }

    @Test(arguments: ["{{secret:NOPE}}", "{{secret:SIGNING}}", "{{secret:}}", "{{secret: KEY}}"])
    func deniesWhatIsNotGranted(value: String) throws {
        let error = try #require(throws: ProviderError.self) { try lines([.init("X", value)]) }
        #expect(error.code == .denied && !error.isRetryable)
        #expect(error.message.contains(value.dropFirst(9).dropLast(2)))
        #expect(!error.message.contains("sk-live") && !error.message.contains("hmac-only"))
    }

    @Test(arguments: [
        ("X\r\nY", "v"), ("X\u{0}", "v"), ("", "v"), ("X Y", "v"), ("X:", "v"), ("Ü", "v"),
        ("X", "a\r\nInjected: 1"), ("X", "a\nb"), ("X", "a\u{0}b"), ("X", "a\u{7F}"), ("X", "{{secret:KEY"),
        ("X", "{{secret:FILE}}"), ("Host", "other.example"), ("content-length", "3"), ("Transfer-Encoding", "chunked"),
        ("Proxy-Authorization", "x"), ("Accept-Encoding", "gzip"),
    ])
    func refuses(name: String, value: String) throws {
        let error = try #require(throws: ProviderError.self) { try lines([.init(name, value)]) }
        #expect(error.code == .invalid)
        #expect(!error.message.contains("sk-file"))
        #expect(error.message.utf8.allSatisfy { $0 >= 0x20 }, "an error message is one line")
    }
}
