import CLibcurl
import Domain

extension Exchange {
    /// Sets libcurl's options for the request.
    func configure(_ configuration: HTTPClient.Configuration, trust: TrustStore) throws(ProviderError) {
        try configureConnection(configuration)
        try trust.apply(to: easy)
        try configureMethod()
        try configureHeaders()
        try configureCallbacks()
    }

    private func configureConnection(_ configuration: HTTPClient.Configuration) throws(ProviderError) {
        try target.apply(to: easy)
        try easy.set(CURLOPT_PROTOCOLS_STR, "http,https")
        try easy.set(CURLOPT_FOLLOWLOCATION, 0)
        try easy.set(CURLOPT_NOSIGNAL, 1)
        // Otherwise the end of a transfer waits for the resolver's thread, and every other transfer with it.
        try easy.set(CURLOPT_QUICK_EXIT, 1)
        try easy.set(CURLOPT_CONNECTTIMEOUT_MS, configuration.connectTimeout.boundedMilliseconds)
        try easy.set(CURLOPT_TIMEOUT_MS, request.timeout.boundedMilliseconds)
        try easy.set(CURLOPT_TCP_KEEPALIVE, 1)
        try configureAddresses(configuration)
        let isSecure = target.origin.scheme == "https"
        try easy.set(CURLOPT_HTTP_VERSION, isSecure ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1)
        // Waits for a connection in the making to learn whether it multiplexes; ALPN tells at once. In plain text a
        // second request would wait for the first answer.
        try easy.set(CURLOPT_PIPEWAIT, isSecure ? 1 : 0)
        // Empty rather than unset: libcurl must not consult the environment itself.
        try easy.set(CURLOPT_PROXY, proxyURL ?? "")
        try easy.set(CURLOPT_NOPROXY, proxyBypass)
        try easy.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        try easy.set(CURLOPT_USERAGENT, configuration.userAgent)
    }

    /// A connection that must be public is refused before it is made; `beginRequest` refuses one that is kept from
    /// another request.
    private func configureAddresses(_ configuration: HTTPClient.Configuration) throws(ProviderError) {
        try easy.setAddresses(configuration.addresses)
        guard mustConnectToPublic else { return try easy.setCloseOnExec() }
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        try unsafe easy.setOpenSocket(context) { context, purpose, address in
            guard let exchange = unsafe Exchange.from(context), let address = unsafe address else {
                return CURL_SOCKET_BAD
            }
            var count = 0
            let bytes = unsafe UnsafeBufferPointer(start: aib_curl_address(address, &count), count: count)
            guard exchange.mayConnect(to: unsafe IPAddress(bytes)) else { return CURL_SOCKET_BAD }
            return unsafe aib_curl_open_socket(nil, purpose, address)
        }
    }

    private func configureMethod() throws(ProviderError) {
        let method = request.method
        guard RequestHeaders.isToken(method), !["CONNECT", "TRACE"].contains(method.uppercased()) else {
            throw ProviderError(
                .invalid, "the method \(quoted(method)) is not allowed; use GET, HEAD, POST, PUT, PATCH or DELETE")
        }
        switch request.body {
        case .none where method == "HEAD":
            try easy.set(CURLOPT_NOBODY, 1)
        case _ where method == "HEAD":
            throw ProviderError(.invalid, "a HEAD request has no body; leave it out or use another method")
        case .none where ["POST", "PUT", "PATCH"].contains(method):
            // Announces `Content-Length: 0` (RFC 9110, section 8.6).
            try configureUpload(method, length: 0)
        case .none:
            try easy.set(CURLOPT_HTTPGET, 1)
            try easy.set(CURLOPT_CUSTOMREQUEST, method)
        case .bytes(let bytes):
            try configureUpload(method, length: Int64(bytes.count))
        case .stream(let length):
            guard length ?? 0 >= 0 else { throw ProviderError(.invalid, "the body's length is negative") }
            try configureUpload(method, length: length)
        }
    }

    /// Every body is read from the transfer's window, which cannot be rewound.
    private func configureUpload(_ method: String, length: Int64?) throws(ProviderError) {
        try easy.set(CURLOPT_UPLOAD, 1)
        try easy.set(CURLOPT_INFILESIZE_LARGE, offset: length ?? -1)
        try easy.set(CURLOPT_CUSTOMREQUEST, method)
    }

    private func configureHeaders() throws(ProviderError) {
        let headers = try RequestHeaders(
            request.headers, secrets: request.secrets, egress: request.egress, target: target)
        try easy.setHeaders(headers.lines)
    }

    /// The context is unretained: the loop holds the exchange for as long as libcurl holds the handle.
    private func configureCallbacks() throws(ProviderError) {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        try unsafe easy.set(CURLOPT_PRIVATE, context)
        try unsafe easy.set(CURLOPT_HEADERDATA, context)
        try unsafe easy.set(CURLOPT_WRITEDATA, context)
        try unsafe easy.set(CURLOPT_READDATA, context)
        try unsafe easy.setPrerequest(context) { context, address, _, _, _ in
            guard let exchange = unsafe Exchange.from(context) else { return CURL_PREREQFUNC_ABORT }
            let peer = unsafe address.map { unsafe String(cString: $0) } ?? ""
            return exchange.beginRequest(to: peer) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
        }
        try unsafe easy.set(CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            guard let exchange = unsafe Exchange.from(context) else { return 0 }
            let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
            return unsafe exchange.receiveHeader(line) ? line.count : aib_curl_write_error
        }
        try unsafe easy.set(CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            guard let exchange = unsafe Exchange.from(context) else { return 0 }
            return unsafe exchange.receiveBody(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        try unsafe easy.set(CURLOPT_READFUNCTION) { bytes, size, count, context in
            guard let exchange = unsafe Exchange.from(context) else { return aib_curl_read_abort }
            return unsafe exchange.sendBody(into: UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
        }
    }

    /// The exchange behind a context that libcurl passes back.
    static func from(_ context: UnsafeMutableRawPointer?) -> Exchange? {
        unsafe context.map { unsafe Unmanaged<Exchange>.fromOpaque($0).takeUnretainedValue() }
    }
}

extension Duration {
    /// In milliseconds as libcurl takes a timeout: at least 1 (0 would mean none), at most what 32 bits hold.
    fileprivate var boundedMilliseconds: Int {
        let (seconds, attoseconds) = components
        guard seconds < Int64(Int32.max) / 1000 else { return Int(Int32.max) }
        return max(1, Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
    }
}
