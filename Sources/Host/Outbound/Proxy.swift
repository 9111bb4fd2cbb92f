import Glibc

/// The proxies outbound requests go through, as URLs that libcurl understands (`http://user:password@host:3128`,
/// `socks5h://host`). A URL may hold a password: the description names none.
public struct Proxy: Sendable, Hashable, CustomStringConvertible {
    /// For `http` requests.
    public var http: String?
    /// For `https` requests, which go through it as a tunnel.
    public var https: String?
    /// Hosts reached directly: names with their subdomains, addresses and networks (`10.0.0.0/8`), separated by
    /// commas; `*` means all.
    public var bypass: String

    /// No proxy at all.
    public static let none = Proxy()

    public init(http: String? = nil, https: String? = nil, bypass: String = "") {
        self.http = http
        self.https = https
        self.bypass = bypass
    }

    /// Reads the variables that curl reads: `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, each also in
    /// upper case except the first, which a CGI request header could set (CVE-2016-5385).
    ///
    /// - Parameter environment: by default that of the process.
    public static func fromEnvironment(_ environment: [String: String]? = nil) -> Proxy {
        func value(_ names: String...) -> String? {
            for name in names {
                let found = environment.map { $0[name] } ?? Self.processVariable(name)
                if let found, !found.isEmpty { return found }
            }
            return nil
        }
        return Proxy(
            http: value("http_proxy", "all_proxy", "ALL_PROXY"),
            https: value("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"),
            bypass: value("no_proxy", "NO_PROXY") ?? "")
    }

    public var description: String {
        "Proxy(http: \(http == nil ? "none" : "set"), https: \(https == nil ? "none" : "set"), bypass: \(bypass))"
    }

    private static func processVariable(_ name: String) -> String? {
        // The process never changes its environment, so the pointer is stable while it is copied.
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
