import CLibcurl
import Domain

/// A URL as libcurl reads it, parsed once: the egress check and the transfer see the same host.
struct RequestTarget: ~Copyable {
    let origin: Origin
    let isIPAddress: Bool
    private let url: ParsedURL

    /// - Throws: `.denied` for what no plugin may send, `.invalid` for what is no URL.
    init(_ text: String) throws(ProviderError) {
        try Self.checkSpelling(text)
        let url = try ParsedURL(text)
        guard let scheme = url.part(CURLUPART_SCHEME)?.lowercased(), let host = url.part(CURLUPART_HOST)?.lowercased(),
            let port = url.part(CURLUPART_PORT, flags: UInt32(CURLU_DEFAULT_PORT)).flatMap({ UInt16($0) })
        else { throw ProviderError(.invalid, "the URL has no host") }
        guard scheme == "http" || scheme == "https" else {
            throw ProviderError(.denied, "the scheme \(quoted(scheme)) is not allowed; use https (or http)")
        }
        guard url.part(CURLUPART_ZONEID) == nil else {
            throw ProviderError(.denied, "the host \(quoted(host)) has an IPv6 zone; leave it out")
        }
        guard host.hasPrefix("[") || Self.isHostName(host) else {
            throw ProviderError(
                .denied, "the host \(quoted(host)) is no host name; write international names in their xn-- form")
        }
        isIPAddress = host.hasPrefix("[") || host.utf8.allSatisfy { Self.isDigit($0) || $0 == UInt8(ascii: ".") }
        origin = Origin(scheme: scheme, host: host, port: port)
        self.url = url
    }

    /// False for an address that is not public, and for a name that stands for one by its ending alone.
    var mayBePublic: Bool {
        guard !isIPAddress else {
            let literal = origin.host.hasPrefix("[") ? String(origin.host.dropFirst().dropLast()) : origin.host
            return IPAddress(literal)?.isPublic == true
        }
        // RFC 6761, 6762 and 8375, and what ICANN keeps for private use.
        let privateEndings = [".localhost", ".local", ".internal", ".home.arpa"]
        return origin.host.contains(".") && !privateEndings.contains { origin.host.hasSuffix($0) }
    }

    /// Gives libcurl the parsed URL; it must outlive the transfer.
    func apply(to easy: borrowing EasyHandle) throws(ProviderError) { try url.apply(to: easy) }

    /// What is refused by its spelling alone, before anything interprets it.
    private static func checkSpelling(_ text: String) throws(ProviderError) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") }) else {
            throw ProviderError(.denied, "the URL holds a control character, space or backslash; percent-encode it")
        }
        guard !text.utf8.contains(UInt8(ascii: "#")) else {
            throw ProviderError(.denied, "the URL has a fragment, which is never sent; leave it out or write %23")
        }
        let slashes = text.utf8.drop { $0 != UInt8(ascii: ":") }.dropFirst().prefix { $0 == UInt8(ascii: "/") }
        guard slashes.count == 2 else {
            throw ProviderError(.invalid, "the URL is malformed; write https://host/path")
        }
        let authority = text.utf8[slashes.endIndex...].prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        guard !authority.contains(UInt8(ascii: "@")) else {
            throw ProviderError(
                .denied, "the URL holds a user name or password; send credentials as a header with {{secret:NAME}}")
        }
    }

    private static func isHostName(_ host: String) -> Bool {
        host.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty
                && label.allSatisfy { byte in
                    isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "-")
                        || byte == UInt8(ascii: "_")
                }
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

/// Scheme, host and port (RFC 6454), in lower case.
struct Origin: Hashable, CustomStringConvertible {
    let scheme: String
    let host: String
    let port: UInt16

    private var isDefaultPort: Bool { port == (scheme == "https" ? 443 : 80) }
    var description: String { "\(scheme)://\(host)\(isDefaultPort ? "" : ":\(port)")" }
}

/// The owner of a `CURLU`. Safe: the pointer is valid for as long as it lives.
@safe private struct ParsedURL: ~Copyable {
    private let handle: OpaquePointer

    init(_ text: String) throws(ProviderError) {
        guard let handle = unsafe curl_url() else { throw ProviderError(.limit, "out of memory", isRetryable: true) }
        // The path goes out as it was written: a signature may cover it.
        let code = unsafe curl_url_set(handle, CURLUPART_URL, text, UInt32(CURLU_PATH_AS_IS))
        guard code == CURLUE_OK else {
            unsafe curl_url_cleanup(handle)
            if code == CURLUE_UNSUPPORTED_SCHEME {
                throw ProviderError(.denied, "the URL's scheme is not allowed; use https (or http)")
            }
            throw ProviderError(
                .invalid,
                "the URL is malformed (\(unsafe String(cString: curl_url_strerror(code)))); write https://host/path")
        }
        unsafe self.handle = handle
    }

    deinit { unsafe curl_url_cleanup(handle) }

    func part(_ part: CURLUPart, flags: UInt32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard unsafe curl_url_get(handle, part, &text, flags) == CURLUE_OK, let text = unsafe text else { return nil }
        defer { unsafe curl_free(text) }
        return unsafe String(cString: text)
    }

    func apply(to easy: borrowing EasyHandle) throws(ProviderError) {
        try unsafe easy.set(CURLOPT_CURLU, UnsafeMutableRawPointer(handle))
    }
}
