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

    /// What is wrong with one of the URLs, in words that repeat no more of it than its scheme; nil where nothing is.
    public var fault: String? {
        for (name, url) in [("http_proxy", http), ("https_proxy", https)] {
            if let url, let fault = Self.fault(in: url) { return "\(name): \(fault)" }
        }
        return nil
    }

    static func fault(in url: String) -> String? {
        let schemes = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"]
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            return "the proxy's URL holds a space or a control character; percent-encode it"
        }
        let rest: Substring
        if let end = url.firstRange(of: "://") {
            let scheme = url[..<end.lowerBound].lowercased()
            guard schemes.contains(scheme) else {
                return "a proxy is reached by \(schemes.joined(separator: ", ")), not by \(quoted(scheme)); "
                    + "write http://host:port"
            }
            rest = url[end.upperBound...]
        } else {
            // libcurl's own reading of a URL without a scheme: http.
            rest = url[...]
        }
        let authority = rest.prefix { $0 != "/" }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        guard !host.isEmpty, host.first != ":" else { return "the proxy's URL names no host; write http://host:port" }
        return nil
    }

    /// The URLs and what they hold of credentials, also as libcurl decodes it.
    var secrets: [String] {
        [http, https].compactMap(\.self).flatMap { url -> [String] in
            let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
            // Up to the last @, wherever a reader that is less strict would look for it.
            guard let end = rest.lastIndex(of: "@") else { return [url] }
            let user = rest[..<end]
            let password = user.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).dropFirst()
            return [url, String(rest), String(user)]
                + password.flatMap { [String($0), Self.percentDecoded($0)] }
        }
    }

    private static func percentDecoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            let digits = Substring(rest.prefix(2))
            if byte == UInt8(ascii: "%"), digits.utf8.count == 2, let value = UInt8(digits, radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func processVariable(_ name: String) -> String? {
        // The process never changes its environment, so the pointer is stable while it is copied.
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
