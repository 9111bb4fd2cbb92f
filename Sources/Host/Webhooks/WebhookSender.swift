public import Domain
public import Logging
import Metrics
public import ServiceLifecycle
import Synchronization

/// Delivers the events that wait in the outbox, as Standard Webhooks says. Hosts share the outbox, so each event is sent
/// by one host at a time, and at least once: a receiver knows a repetition by its `webhook-id`.
public final class WebhookSender: Service {
    private struct State {
        /// The executions an event of which is under way.
        var sending: Set<UUIDv7> = []
        var isShuttingDown = false
        var isGraceOver = false
    }

    private let outbox: any WebhookOutbox
    private let transport: any HTTPTransport
    private let signer: WebhookSigner
    private let configuration: Configuration
    private let clock: any WallClock
    private let sleep: @Sendable (Duration) async throws -> Void
    private let jitter: @Sendable () -> Double
    private let logger: Logger
    private let state = Mutex(State())
    /// A reason to look at the outbox, or at the end of it all: time has passed, a delivery is over.
    private let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// - Parameters:
    ///   - clock: what the receivers' clocks are compared with.
    ///   - sleep: returns after the duration; throws when its task is cancelled.
    ///   - jitter: a random number in 0…1.
    public init(
        outbox: any WebhookOutbox, transport: any HTTPTransport, signer: WebhookSigner,
        configuration: Configuration = Configuration(), clock: any WallClock = SystemWallClock(),
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        jitter: @escaping @Sendable () -> Double = { .random(in: 0...1) }, logger: Logger
    ) {
        self.outbox = outbox
        self.transport = transport
        self.signer = signer
        self.configuration = configuration
        self.clock = clock
        self.sleep = sleep
        self.jitter = jitter
        self.logger = logger
    }

    /// Runs until graceful shutdown: then takes nothing more and lets what is under way finish for a while. What is cut
    /// off is sent again when its lease has ended. To be run once.
    public func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.keepLooking() }
                wake.yield()
                for await _ in wakes {
                    let (isShuttingDown, mayEnd) = state.withLock { state in
                        (state.isShuttingDown, state.isGraceOver || state.sending.isEmpty)
                    }
                    if isShuttingDown, mayEnd { break }
                    if !isShuttingDown { await takeDue(in: &group) }
                }
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.state.withLock { $0.isShuttingDown = true }
            self.wake.yield()
        }
    }

    /// Wakes the sender now and then, and ends its grace.
    private func keepLooking() async {
        while !state.withLock({ $0.isShuttingDown }) {
            do { try await sleep(configuration.pollInterval) } catch { return }
            wake.yield()
        }
        do { try await sleep(configuration.grace) } catch { return }
        state.withLock { $0.isGraceOver = true }
        wake.yield()
    }

    /// Takes no more than can begin at once, so that no lease runs while its event waits.
    private func takeDue(in group: inout DiscardingTaskGroup) async {
        while true {
            let room = state.withLock { $0.isShuttingDown ? 0 : configuration.width - $0.sending.count }
            guard room > 0 else { return }
            let due: [WebhookDelivery]
            do throws(LedgerError) {
                due = try await outbox.takeDue(limit: room, lease: configuration.lease)
            } catch {
                logger.warning("due webhooks could not be taken", metadata: ["error": "\(error)"])
                return
            }
            var isOrdered = true
            for delivery in due {
                // An event whose predecessor is under way waits for its lease to end: order is worth the delay.
                guard state.withLock({ $0.sending.insert(delivery.executionID).inserted }) else {
                    isOrdered = false
                    continue
                }
                group.addTask {
                    await self.deliver(delivery)
                    self.state.withLock { _ = $0.sending.remove(delivery.executionID) }
                    // The next of the same execution may be due now.
                    self.wake.yield()
                }
            }
            if due.count < room || !isOrdered { return }
        }
    }

    private func deliver(_ delivery: WebhookDelivery) async {
        let answer = await WebhookPost().send(request(for: delivery), over: transport)
        if Task.isCancelled { return }
        let outcome = outcome(of: answer, attempts: delivery.attempts + 1)
        record(outcome, of: delivery)
        do throws(LedgerError) { try await outbox.settle(delivery, outcome) } catch {
            logger.warning(
                "a webhook's outcome could not be recorded; it may be sent again",
                metadata: ["event": "\(delivery.event.id)", "error": "\(error)"])
        }
    }

    func request(for delivery: WebhookDelivery) -> OutboundRequest {
        let (event, now) = (delivery.event, clock.now())
        let json: JSON = [
            "type": .string(event.type), "timestamp": .string(delivery.time.description), "data": event.data,
        ]
        let body = json.bytes
        let id = event.id.description
        let seconds = now.milliseconds / 1_000
        return OutboundRequest(
            method: "POST", url: delivery.url,
            headers: [
                .init("content-type", "application/json"), .init("webhook-id", id),
                .init("webhook-timestamp", "\(seconds)"),
                .init(
                    "webhook-signature",
                    signer.signature(id, timestamp: seconds, body: body, of: delivery.executionID)),
            ],
            body: .bytes(body), timeout: configuration.timeout, egress: EgressPolicy(reach: configuration.reach))
    }

    private func outcome(of answer: Result<Int, ProviderError>, attempts: Int) -> WebhookOutcome {
        let reason: String
        switch answer {
        case .success(200...299): return .delivered
        case .success(410): return .dead(reason: "the receiver wants no more: it answered 410")
        case .success(let status): reason = "the receiver answered \(status)"
        case .failure(let error): reason = Self.reason(error)
        }
        guard let delay = WebhookSchedule.delay(after: attempts, jitter: jitter()) else {
            return .dead(reason: "\(reason), after \(attempts) attempts")
        }
        return .postponed(delay, reason: reason)
    }

    /// The transport's own words may name addresses that a client has no business with.
    private static func reason(_ error: ProviderError) -> String {
        switch error.code {
        case .timeout: "no answer in time"
        case .denied: "this address may not be called"
        case .invalid: "the URL is not one"
        case .cancelled: "the delivery was interrupted"
        case .upstream, .limit, .internal: "no connection, or no HTTP"
        }
    }

    private func record(_ outcome: WebhookOutcome, of delivery: WebhookDelivery) {
        let name: String
        var metadata: Logger.Metadata = [
            "execution": "\(delivery.executionID)", "event": "\(delivery.event.id)", "type": "\(delivery.event.type)",
            "attempt": "\(delivery.attempts + 1)",
        ]
        // The URL stays out of the log: it may hold a receiver's token.
        switch outcome {
        case .delivered:
            name = "delivered"
            logger.debug("a webhook was delivered", metadata: metadata)
        case .postponed(let delay, let reason):
            name = "postponed"
            metadata["reason"] = "\(reason)"
            metadata["milliseconds"] = "\(delay.milliseconds)"
            logger.info("a webhook was not delivered and is tried again", metadata: metadata)
        case .dead(let reason):
            name = "dead"
            metadata["reason"] = "\(reason)"
            logger.warning("a webhook is given up", metadata: metadata)
        }
        Counter(label: "webhook_deliveries_total", dimensions: [("outcome", name)]).increment()
    }
}
