import CLibcurl
import Domain
import Glibc
import Logging

/// The client's thread: it turns epoll's events into libcurl's actions and the callers' orders into transfers.
/// Created, used and destroyed on that thread. Safe: it owns the multi handle, whose pointer goes nowhere else.
@safe final class TransferLoop {
    /// Connections kept for reuse. Above it the oldest idle one is closed; streams on one HTTP/2 connection count once.
    private static let keptConnections = 512
    // Once for the process, before the first handle.
    private static let isLibcurlReady = curl_global_init(aib_curl_global_all()) == CURLE_OK

    private let mailbox: Mailbox
    private let configuration: HTTPClient.Configuration
    private let trust: TrustStore
    private let logger: Logger
    private let clock = ContinuousClock()
    private let multi: UnsafeMutableRawPointer
    private var poller = Poller()
    private var timer: ContinuousClock.Instant?
    private var exchanges: [ObjectIdentifier: Exchange] = [:]
    /// Those whose socket could not be watched: they would wait for ever.
    private var unwatched: [Exchange] = []

    init(mailbox: Mailbox, configuration: HTTPClient.Configuration, logger: Logger) {
        precondition(Self.isLibcurlReady, "libcurl cannot be initialised")
        guard let multi = unsafe curl_multi_init() else { preconditionFailure("out of memory for libcurl") }
        self.mailbox = mailbox
        self.configuration = configuration
        self.trust = TrustStore(additional: configuration.certificateAuthorities)
        self.logger = logger
        unsafe self.multi = multi
        let isWatched = poller.watch(mailbox.wakeup, readable: true, writable: false)
        precondition(isWatched, "epoll cannot watch the client's own wake-up: errno \(errno)")
        unsafe _ = aib_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, Self.keptConnections)
        unsafe _ = aib_curl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
        setCallbacks()
    }

    deinit { unsafe _ = curl_multi_cleanup(multi) }

    /// Runs until the mailbox says stop.
    func run() {
        while true {
            var isWoken = false
            for event in poller.wait(milliseconds: millisecondsToTimer()) {
                if event.descriptor == mailbox.wakeup {
                    isWoken = true
                } else {
                    act(on: event.descriptor, event)
                }
            }
            if let due = timer, due <= clock.now {
                timer = nil
                act(on: CURL_SOCKET_TIMEOUT, nil)
            }
            reap()
            guard isWoken else { continue }
            let (posted, isStopping) = mailbox.collect()
            if isStopping { return stop(posted) }
            posted.forEach(obey)
            endUnwatched()
        }
    }

    // MARK: Orders

    private func obey(_ transfer: Transfer) {
        let orders = transfer.takeOrders()
        if let launch = orders.launch { return begin(transfer, launch, orders) }
        guard let exchange = exchanges[ObjectIdentifier(transfer)] else { return }
        if orders.isCancelled {
            retire(exchange, outcome: "cancelled")
            exchange.finish(.shutDown)
        } else if let violation = orders.violation {
            retire(exchange, outcome: "failed")
            exchange.finish(violation)
        } else {
            let code = exchange.apply(orders)
            if code != CURLE_OK { end(exchange, code) }
        }
    }

    private func begin(_ transfer: Transfer, _ launch: Transfer.Launch, _ orders: Transfer.Orders) {
        do throws(ProviderError) {
            if let error = launch.refusal ?? orders.violation { throw error }
            if !orders.isCancelled {
                let exchange = try Exchange(transfer, launch: launch, configuration: configuration, trust: trust)
                guard unsafe exchange.easy.attach(to: multi) == CURLM_OK else { throw .outOfMemory }
                exchanges[ObjectIdentifier(transfer)] = exchange
                return
            }
        } catch {
            logger.debug("outbound transfer refused", metadata: ["reason": "\(error)"])
            if launch.refusal == nil { mailbox.release() }
            if transfer.close() { launch.onEvent(.failed(error)) }
            return
        }
        mailbox.release()
        _ = transfer.close()
    }

    // MARK: The end of transfers

    private func endUnwatched() {
        while let exchange = unwatched.popLast() {
            guard exchanges[ObjectIdentifier(exchange.transfer)] === exchange else { continue }
            retire(exchange, outcome: "failed")
            exchange.finish(
                ProviderError(
                    .limit, "the system cannot watch another socket for \(exchange.target.origin); try again later",
                    isRetryable: true))
        }
    }

    /// Collects the transfers that libcurl has finished.
    private func reap() {
        endUnwatched()
        var waiting: Int32 = 0
        while let message = unsafe curl_multi_info_read(multi, &waiting) {
            guard unsafe message.pointee.msg == CURLMSG_DONE else { continue }
            let code = unsafe message.pointee.data.result
            if let exchange = unsafe Self.exchange(of: message.pointee.easy_handle) { end(exchange, code) }
        }
    }

    private static func exchange(of easy: UnsafeMutableRawPointer?) -> Exchange? {
        var context: UnsafeMutableRawPointer?
        guard let easy = unsafe easy,
            unsafe aib_curl_easy_get_pointer(easy, CURLINFO_PRIVATE, &context) == CURLE_OK
        else { return nil }
        return unsafe Exchange.from(context)
    }

    private func end(_ exchange: Exchange, _ code: CURLcode) {
        retire(exchange, outcome: code == CURLE_OK ? "ended" : "failed")
        exchange.finish(code)
    }

    /// Takes a transfer from libcurl and frees its place, so that its last event may start another.
    private func retire(_ exchange: Exchange, outcome: Logger.MetadataValue) {
        exchanges[ObjectIdentifier(exchange.transfer)] = nil
        unsafe exchange.easy.detach(from: multi)
        mailbox.release()
        logger.debug(
            "outbound transfer over",
            metadata: [
                "origin": "\(exchange.target.origin)", "method": "\(exchange.request.method)", "outcome": outcome,
                "status": "\(exchange.status ?? 0)", "received": "\(exchange.bodyBytes)",
                "milliseconds": "\(exchange.easy.offset(CURLINFO_TOTAL_TIME_T) / 1000)",
            ])
    }

    private func stop(_ posted: [Transfer]) {
        for exchange in Array(exchanges.values) {
            retire(exchange, outcome: "shut down")
            exchange.finish(.shutDown)
        }
        var posted = posted
        repeat {
            for transfer in posted {
                let launch = transfer.takeOrders().launch
                if let launch, transfer.close() { launch.onEvent(.failed(.shutDown)) }
            }
            posted = mailbox.collect().posted
        } while !posted.isEmpty || !mailbox.close()
    }

    // MARK: libcurl's sockets and timer

    private func act(on socket: curl_socket_t, _ event: Poller.Event?) {
        var mask: Int32 = 0
        if event?.isReadable == true { mask |= CURL_CSELECT_IN }
        if event?.isWritable == true { mask |= CURL_CSELECT_OUT }
        if event?.isFailed == true { mask |= CURL_CSELECT_ERR }
        var running: Int32 = 0
        unsafe _ = curl_multi_socket_action(multi, socket, mask, &running)
    }

    private func millisecondsToTimer() -> Int32 {
        guard let timer else { return -1 }
        // Rounded up: waking early would only wait again.
        let (seconds, attoseconds) = (timer - clock.now).components
        let milliseconds = seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return Int32(clamping: max(0, milliseconds))
    }

    /// The context is unretained: the loop outlives its multi handle.
    private func setCallbacks() {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe _ = aib_curl_multi_set_socket_callback(
            multi,
            { easy, socket, wish, context, _ in
                guard let loop = unsafe TransferLoop.from(context) else { return -1 }
                if wish == CURL_POLL_REMOVE {
                    loop.poller.forget(socket)
                } else if !loop.poller.watch(
                    socket, readable: wish & CURL_POLL_IN != 0, writable: wish & CURL_POLL_OUT != 0)
                {
                    // Any other answer than 0 would end all transfers; this one is ended as soon as libcurl returns.
                    if let exchange = unsafe TransferLoop.exchange(of: easy) { loop.unwatched.append(exchange) }
                }
                return 0
            }, context)
        unsafe _ = aib_curl_multi_set_timer_callback(
            multi,
            { _, milliseconds, context in
                guard let loop = unsafe TransferLoop.from(context) else { return -1 }
                loop.timer = milliseconds < 0 ? nil : loop.clock.now + .milliseconds(milliseconds)
                return 0
            }, context)
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> TransferLoop? {
        unsafe context.map { unsafe Unmanaged<TransferLoop>.fromOpaque($0).takeUnretainedValue() }
    }
}
