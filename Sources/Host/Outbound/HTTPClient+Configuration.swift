extension HTTPClient {
    /// How the client connects. An operator sets the proxy, through the environment.
    public struct Configuration: Sendable {
        /// Bounds name resolution, TCP and TLS of one connection.
        public var connectTimeout: Duration
        /// Transfers in flight; one more fails with `.limit`.
        public var maximumTransfers: Int
        /// The proxies to go through.
        public var proxy: Proxy
        /// A PEM file of certificate authorities trusted beside the system's, for private CAs. Verification itself
        /// cannot be turned off.
        public var certificateAuthorities: String?
        /// Sent where a request has no `User-Agent` of its own.
        public var userAgent: String
        /// What names resolve to, each as `name:port:address`, in place of the resolver: for tests, which must not ask
        /// one.
        var addresses: [String] = []

        public init(
            connectTimeout: Duration = .seconds(10), maximumTransfers: Int = 4096, proxy: Proxy = .fromEnvironment(),
            certificateAuthorities: String? = nil, userAgent: String = "aibackend/0.1"
        ) {
            self.connectTimeout = connectTimeout
            self.maximumTransfers = maximumTransfers
            self.proxy = proxy
            self.certificateAuthorities = certificateAuthorities
            self.userAgent = userAgent
        }
    }
}
