import Domain
import Testing

@testable import Outbound

@Suite struct EgressTests {
    private let policy = EgressPolicy(
        hosts: ["api.example.com", "*.models.example", "*.", "Upper.Example"],
        origins: ["http://127.0.0.1:9000", "https://internal.example:8443/v1", "http://[::1]:80", "not a url"])

    private func verdict(_ url: String) -> ProviderError? {
        do throws(ProviderError) {
            let target = try RequestTarget(url)
            try policy.check(target)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        "https://api.example.com", "https://api.example.com/v1?x=1", "https://API.EXAMPLE.com/",
        "HTTPS://api.example.com/",
        "https://api.example.com:443/", "https://a.models.example/", "https://a.b.models.example/",
        "https://upper.example/", "http://127.0.0.1:9000/x", "https://internal.example:8443/", "http://[::1]/",
        // Another spelling of an origin that is allowed is that origin.
        "http://[0:0:0:0:0:0:0:1]/", "https://api.example.com/a/../b?q=user@host", "https://%61pi.example.com/",
    ])
    func allows(url: String) {
        #expect(verdict(url) == nil)
    }

    @Test(arguments: [
        // Another scheme, port or host.
        "http://api.example.com/", "https://api.example.com:8443/", "https://example.com/", "https://models.example/",
        "https://evilmodels.example/", "https://api.example.com.evil.example/", "https://xapi.example.com/",
        "http://127.0.0.1:9001/", "https://127.0.0.1:9000/", "http://127.0.0.1/", "https://internal.example/",
        "http://internal.example:8443/", "https://api.example.com./", "https://.models.example/",
        "https://a..models.example/",
        // Addresses in disguise.
        "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "http://2130706433/",
        "https://[::ffff:127.0.0.1]/", "https://0/", "https://169.254.169.254/latest/meta-data",
        "http://[::1%25lo]/",
        // Two readings of one URL.
        "https://api.example.com@evil.example/", "https://user:password@api.example.com/", "https://@api.example.com/",
        "https://evil.example#@api.example.com/", "https://api.example.com/#fragment", "https://api.example.com/#",
        "https://evil.example\\@api.example.com/", "https://evil.example\\.models.example/",
        "https:///api.example.com/", "https:/api.example.com/", "https:api.example.com",
        "https://api.example.com\t.evil.example/", "https://api.example.com/\r\nX: y",
        "https://api.example.com/\u{0}", "https://evil.example%2F.models.example/",
        "https://evil.example%00.models.example/",
        "https://evil.example／.models.example/", "https://api。example。com/",
        // Other schemes, no scheme, nothing.
        "ftp://api.example.com/", "file:///etc/passwd", "gopher://api.example.com/", "javascript:alert(1)",
        "api.example.com", "//api.example.com/", "", "https://", "https://api.example.com:99999/", "https://:443/",
    ])
    func refuses(url: String) throws {
        let error = try #require(verdict(url))
        #expect(error.code == .denied || error.code == .invalid)
        #expect(!error.isRetryable)
        #expect(!error.message.contains("user:"), "credentials must not reach a message")
    }

    @Test func aRefusalNamesTheTargetWhatIsAllowedAndTheWayOut() throws {
        let error = try #require(verdict("http://api.example.com/v1?token=hidden"))
        #expect(error.code == .denied)
        for part in ["http://api.example.com ", "https://*.models.example", "http://127.0.0.1:9000", "manifest"] {
            #expect(error.message.contains(part))
        }
        #expect(!error.message.contains("hidden"))
    }

    @Test func aManifestDoesNotOpenAddresses() throws {
        let policy = EgressPolicy(hosts: ["127.0.0.1", "[::1]", "*.0.0.1"])
        for url in ["https://127.0.0.1/", "https://[::1]/", "https://2130706433/"] {
            let target = try RequestTarget(url)
            #expect(throws: ProviderError.self) { try policy.check(target) }
        }
    }
}
