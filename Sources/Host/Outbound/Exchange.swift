import CLibcurl
import Domain

/// One transfer on the client's thread: libcurl's callbacks come in here, events go out. Confined to that thread.
final class Exchange {
    private static let maximumPiece = 16 * 1024
    private static let idempotentMethods: Set<String> = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]

    let transfer: Transfer
    /// Declared before `target`, whose parsed URL libcurl borrows: properties are destroyed in order.
    var easy: EasyHandle
    let target: RequestTarget
    /// Without its body, which the transfer's window holds until it is sent.
    private(set) var request: OutboundRequest
    private let connectTimeout: Duration
    private let onEvent: @Sendable (HTTPEvent) -> Void
    private var head = ResponseHead()
    private var scrubber: SecretScrubber
    private let proxy: Proxy
    private let isConfinedToPublic: Bool
    /// What became of the addresses that the target's name resolved to.
    private var (refusedAddresses, allowedAddresses) = (0, 0)
    /// What a callback found wrong before it stopped the transfer.
    private var violation: ProviderError?
    private var isSent = false
    private var isBodyTouched = false
    private var isReceivingPaused = false
    private var isSendingPaused = false
    private(set) var status: Int?
    private(set) var bodyBytes: Int64 = 0

    /// Checks the request and prepares its transfer.
    ///
    /// - Throws: why it must not leave.
    init(
        _ transfer: Transfer, launch: Transfer.Launch, configuration: HTTPClient.Configuration, trust: TrustStore
    ) throws(ProviderError) {
        let target = try RequestTarget(launch.request.url)
        var request = launch.request
        try request.egress.check(target)
        if request.fillsSecretsInBody, case .bytes(let body) = request.body {
            let filled = try SecretBody.filled(body, from: request.secrets, egress: request.egress, target: target)
            transfer.replaceBody(filled)
            request.body = .bytes(filled)
        }
        self.isConfinedToPublic = request.egress.isConfinedToPublic(target)
        self.transfer = transfer
        self.target = target
        self.easy = try EasyHandle()
        self.request = request
        self.connectTimeout = configuration.connectTimeout
        self.onEvent = launch.onEvent
        self.scrubber = SecretScrubber(secrets: launch.request.secrets.allValues)
        self.proxy = configuration.proxy
        try configure(configuration, trust: trust)
        self.request.body = .none
    }

    // MARK: Where it goes

    /// The proxy it goes through. One that must be public uses the proxy whatever is to be reached past it: so it is
    /// known which of the two ways the connection takes, and whether its address is the peer's or the proxy's.
    var proxyURL: String? {
        guard !isConfinedToPublic || proxy.bypass != "*" else { return nil }
        let url = target.origin.scheme == "https" ? proxy.https : proxy.http
        // To libcurl too an empty one is none.
        return url?.isEmpty == false ? url : nil
    }
    var proxyBypass: String { isConfinedToPublic ? "" : proxy.bypass }

    /// Whether the address that is connected to must be public.
    var mustConnectToPublic: Bool { isConfinedToPublic && proxyURL == nil }

    /// - Parameter address: nil where it is none of IPv4 or IPv6.
    func mayConnect(to address: IPAddress?) -> Bool {
        let isPublic = address?.isPublic == true
        if isPublic { allowedAddresses += 1 } else { refusedAddresses += 1 }
        return isPublic
    }

    // MARK: Orders

    /// Brings the pauses in line with what the caller wants. Answers libcurl's verdict.
    func apply(_ orders: Transfer.Orders) -> CURLcode {
        let mayReceive = isReceivingPaused != orders.isPaused
        let maySend = isSendingPaused && orders.isReadable
        guard mayReceive || maySend else { return CURLE_OK }
        isReceivingPaused = orders.isPaused
        if maySend { isSendingPaused = false }
        return easy.pause(receiving: isReceivingPaused, sending: isSendingPaused)
    }

    // MARK: libcurl's callbacks

    /// The request is about to be sent; false stops the transfer.
    ///
    /// Where a kept connection turns out to be closed, libcurl would send the request again on a new one. The server
    /// may have acted on the first, and a provider may bill both: whether to repeat is the caller's decision, unless
    /// the method is idempotent (RFC 9110, section 9.2.2) and no byte of a body is gone.
    ///
    /// - Parameter peer: the address at the connection's other end. The connection may be one that a request made which
    ///   was allowed to.
    func beginRequest(to peer: String) -> Bool {
        if mustConnectToPublic, IPAddress(peer)?.isPublic != true {
            violation = EgressPolicy.notPublic(target.origin)
            return false
        }
        defer { isSent = true }
        guard isSent, isBodyTouched || !Self.idempotentMethods.contains(request.method) else { return true }
        violation = ProviderError(
            .upstream, "the connection to \(target.origin) was cut before an answer; the request may have arrived",
            isRetryable: true)
        return false
    }

    /// A header line; false stops the transfer.
    func receiveHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        switch unsafe head.append(line) {
        case .incomplete: break
        case .failed(let error):
            violation = error
            return false
        case .complete(let status, let headers, let version):
            self.status = status
            deliver(.head(status: status, headers: scrubbed(headers), version: version))
            if status >= 300 { abandonBody() }
        }
        return !transfer.isCancelled
    }

    /// The server has decided without the rest of the body: the transfer ends with its answer, not with the upload
    /// (RFC 9112, section 9.5). The connection cannot be used again where the body had a length.
    private func abandonBody() {
        guard let isWriterWaiting = transfer.abandonBody() else { return }
        try? easy.set(CURLOPT_FORBID_REUSE, 1)
        if isWriterWaiting { deliver(.writable) }
    }

    /// A piece of the response; answers what libcurl's write callback must.
    func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        if transfer.isCancelled { return aib_curl_write_error }
        if transfer.isPaused {
            isReceivingPaused = true
            return aib_curl_write_pause
        }
        bodyBytes += Int64(bytes.count)
        deliverBody(scrubber.scrub(unsafe Array(bytes)))
        return bytes.count
    }

    /// Fills in the next piece of the body; answers what libcurl's read callback must.
    func sendBody(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        if transfer.isCancelled { return aib_curl_read_abort }
        switch unsafe transfer.readBody(into: buffer) {
        case .bytes(let count, let isWritable):
            isBodyTouched = true
            if isWritable { deliver(.writable) }
            return count
        case .finished:
            return 0
        case .empty:
            isSendingPaused = true
            return aib_curl_read_pause
        }
    }

    // MARK: The end

    /// Delivers the last event, as libcurl ended the transfer.
    func finish(_ code: CURLcode) {
        guard code == CURLE_OK else { return finish(violation ?? failure(code)) }
        deliverBody(scrubber.flush())
        if transfer.close() { onEvent(.end) }
    }

    func finish(_ error: ProviderError) {
        if transfer.close() { onEvent(.failed(error)) }
    }

    private func failure(_ code: CURLcode) -> ProviderError {
        if refusedAddresses > 0, allowedAddresses == 0 { return EgressPolicy.notPublic(target.origin) }
        let progress = ProviderError.Progress(
            origin: target.origin, isConnected: easy.offset(CURLINFO_PRETRANSFER_TIME_T) > 0, hasHead: status != nil,
            bodyBytes: bodyBytes, connectTimeout: connectTimeout, timeout: request.timeout)
        // libcurl's words about a proxy it cannot use repeat the URL with its password.
        let detail = SecretScrubber(secrets: request.secrets.allValues + proxy.secrets).scrubbed(easy.failureDetail)
        if detail.contains("proxy"), let fault = proxy.fault { return ProviderError(.invalid, fault) }
        return ProviderError(code, detail: detail, progress: progress)
    }

    // MARK: Events

    private func deliver(_ event: HTTPEvent) {
        if !transfer.isCancelled { onEvent(event) }
    }

    private func deliverBody(_ bytes: [UInt8]) {
        guard bytes.count > Self.maximumPiece else {
            if !bytes.isEmpty { deliver(.data(bytes)) }
            return
        }
        for start in stride(from: 0, to: bytes.count, by: Self.maximumPiece) {
            deliver(.data(Array(bytes[start..<min(start + Self.maximumPiece, bytes.count)])))
        }
    }

    private func scrubbed(_ headers: [OutboundRequest.Header]) -> [OutboundRequest.Header] {
        headers.map { .init($0.name, scrubber.scrubbed($0.value)) }
    }
}
