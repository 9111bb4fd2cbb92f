import CLibcurl
import Domain

extension ProviderError {
    static let outOfMemory = ProviderError(.limit, "out of memory", isRetryable: true)
    static let shutDown = ProviderError(.cancelled, "outbound HTTP is shut down", isRetryable: true)

    static func tooManyTransfers(_ limit: Int) -> ProviderError {
        ProviderError(
            .limit, "\(limit) outbound transfers are in flight, as many as are allowed; try again later",
            isRetryable: true)
    }

    /// How far a transfer had come when it failed.
    struct Progress {
        let origin: Origin
        let isConnected: Bool
        let hasHead: Bool
        let bodyBytes: Int64
        let connectTimeout: Duration
        let timeout: Duration
    }

    /// A failed transfer in the classes of the plugin ABI.
    ///
    /// - Parameter detail: libcurl's own words, free of secrets.
    init(_ code: CURLcode, detail: String, progress: Progress) {
        let origin = progress.origin
        let reason = detail.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : detail
        switch code {
        case CURLE_OPERATION_TIMEDOUT where !progress.isConnected:
            let limit = min(progress.connectTimeout, progress.timeout)
            self.init(.timeout, "no connection to \(origin) within \(limit)", isRetryable: true)
        case CURLE_OPERATION_TIMEDOUT:
            let state = progress.hasHead ? "after \(progress.bodyBytes) bytes of the body" : "before an answer"
            self.init(
                .timeout, "the transfer with \(origin) did not end within \(progress.timeout); it stopped \(state)",
                isRetryable: true)
        case CURLE_PEER_FAILED_VERIFICATION:
            self.init(
                .upstream,
                "the certificate of \(origin) is not trusted (\(reason)); to trust a private authority, add its "
                    + "certificate to the system's store or name its PEM file in the outbound configuration")
        case CURLE_SSL_CACERT_BADFILE:
            self.init(
                .internal,
                "the configured file of certificate authorities cannot be read (\(reason)); it must be a PEM file")
        case CURLE_COULDNT_RESOLVE_PROXY:
            // libcurl's words may repeat the proxy's URL with its password.
            self.init(
                .upstream, "the proxy's host cannot be resolved; check http_proxy, https_proxy and no_proxy",
                isRetryable: true)
        case CURLE_OUT_OF_MEMORY where progress.isConnected && !progress.hasHead:
            // What libcurl 7.88 calls a header line beyond its buffer of 100 KiB.
            self.init(.upstream, "the answer of \(origin) has a header line that is too large")
        case CURLE_OUT_OF_MEMORY:
            self = .outOfMemory
        case _ where Self.networkFailures.contains(code.rawValue) && progress.hasHead:
            self.init(
                .upstream,
                "the connection to \(origin) was cut after \(progress.bodyBytes) bytes of the body (\(reason))",
                isRetryable: true)
        case _ where Self.networkFailures.contains(code.rawValue) && progress.isConnected:
            self.init(
                .upstream, "the connection to \(origin) was cut before an answer (\(reason))", isRetryable: true)
        case _ where Self.networkFailures.contains(code.rawValue):
            self.init(.upstream, "no connection to \(origin) (\(reason))", isRetryable: true)
        default:
            self.init(.upstream, "the transfer with \(origin) failed (\(reason))")
        }
    }

    /// Failures of names, sockets and streams: another attempt may find them gone.
    private static let networkFailures: Set<UInt32> = Set(
        [
            CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_SSL_CONNECT_ERROR, CURLE_SEND_ERROR,
            CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_HTTP2, CURLE_HTTP2_STREAM,
            CURLE_SEND_FAIL_REWIND, CURLE_PROXY, CURLE_AGAIN, CURLE_WEIRD_SERVER_REPLY,
        ].map(\.rawValue))
}
