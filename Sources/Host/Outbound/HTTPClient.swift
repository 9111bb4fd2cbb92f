public import Domain
public import Logging
import Threads

/// HTTP to the outside world over libcurl: the only place a byte leaves the process for another host.
///
/// One owned thread runs every transfer with libcurl's multi interface and epoll; callers hand their wishes over
/// through a mailbox and never wait for it. Before anything leaves, the request passes the egress check, then its
/// secrets are filled in; what comes back is scrubbed of them. Methods may be called from any thread.
///
/// Where a kept connection turns out to be closed, only an idempotent request without a body is sent again by itself;
/// any other fails, retryable.
public final class HTTPClient: HTTPTransport {
    private let mailbox: Mailbox
    private let maximumTransfers: Int

    /// Starts the client's thread. A proxy that cannot be used (`Proxy.fault`) is told to the log.
    ///
    /// - Parameter logger: gets a debug line when a transfer ends: host, status, sizes; no query, header or body.
    public init(configuration: Configuration = .init(), logger: Logger) {
        let mailbox = Mailbox()
        self.mailbox = mailbox
        self.maximumTransfers = configuration.maximumTransfers
        if let fault = configuration.proxy.fault {
            logger.error(
                "the proxy cannot be used: every request through it will fail", metadata: ["fault": "\(fault)"])
        }
        do {
            try OwnedThread.startDetached(name: "outbound") {
                Self.runLoop(mailbox, configuration, logger)
                mailbox.end()
            }
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// Returns when the loop is gone too: closing its connections may take its time.
    private static func runLoop(_ mailbox: Mailbox, _ configuration: Configuration, _ logger: Logger) {
        TransferLoop(mailbox: mailbox, configuration: configuration, logger: logger).run()
    }

    /// A client that was not shut down leaves its thread to end by itself.
    deinit { mailbox.stop() }

    /// Makes a transfer; see `HTTPTransport`. Events arrive on the client's thread. After `shutdown()` the one event
    /// is `.failed` with `.cancelled`, on the thread that calls `begin`.
    public func prepare(
        _ request: OutboundRequest, onEvent: @escaping @Sendable (HTTPEvent) -> Void
    ) -> any HTTPTransfer {
        Transfer(request: request, limit: maximumTransfers, onEvent: onEvent, mailbox: mailbox)
    }

    /// Ends every transfer in flight with `.failed` (`.cancelled`) and returns when the thread has closed every
    /// connection and has nothing left to do. Calling it again waits for the same end.
    public func shutdown() async { await mailbox.stopAndWait() }
}
