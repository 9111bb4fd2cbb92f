public import Domain
import HTTPTypes
import Hummingbird
public import Logging
public import ServiceLifecycle

/// Providers' services on the loopback interface: they speak the real wire protocols, hold state, refuse what the
/// real ones refuse, and fail on demand. No key, no network and no money is needed.
///
/// - `/anthropic/v1/messages`, `/anthropic/v1/messages/count_tokens`: Anthropic's Messages API.
/// - `/openai/v1/responses`: OpenAI's Responses API.
/// - `/railway/graphql/v2`, `/railway/project/…/environment/…/up`: Railway's public API and its uploads.
/// - `/ledger`: every provider call received. `/faults`, `/gates`: what the next calls shall meet. `/health`.
public struct Sandbox: Service {
    /// Where the server listens and what it accepts.
    public struct Configuration: Sendable {
        /// 0 takes any free port.
        public var port: Int
        /// A loopback address: in 127.0.0.0/8, `::1` or `localhost`.
        public var hostname: String
        public var acceptedKeys: AcceptedKeys
        public var latency: Latency
        public var rateLimits: RateLimits
        public var railway: RailwayLimits
        /// What the first calls shall meet.
        public var faults: FaultScript

        public init(
            port: Int = 0, hostname: String = "127.0.0.1", acceptedKeys: AcceptedKeys = .anyNonEmpty,
            latency: Latency = Latency(), rateLimits: RateLimits = RateLimits(),
            railway: RailwayLimits = RailwayLimits(), faults: FaultScript = FaultScript()
        ) {
            self.port = port
            self.hostname = hostname
            self.acceptedKeys = acceptedKeys
            self.latency = latency
            self.rateLimits = rateLimits
            self.railway = railway
            self.faults = faults
        }
    }

    private(set) var application: Application<RouterResponder<SandboxContext>>
    private let listening: Listening
    let control: ControlState

    /// - Parameters:
    ///   - fixtures: the answers to give; what none of them matches is answered from the request's own schema.
    ///   - applications: runs what is deployed to the simulated platform; without it each deployment fails.
    ///   - logger: hears of every provider call, without its key and prompt.
    ///   - clock: measures the latency.
    ///   - wallClock: dates the ledger and ages the prompt cache.
    /// - Throws: `SandboxError` for an address beyond loopback or an impossible port.
    public init(
        configuration: Configuration = Configuration(), fixtures: AnswerFixtures = AnswerFixtures(),
        applications: (any ApplicationHost)? = nil, logger: Logger,
        clock: any Clock<Duration> = ContinuousClock(), wallClock: any WallClock = SystemWallClock()
    ) throws(SandboxError) {
        let address = try LoopbackAddress(configuration.hostname, port: configuration.port)
        let listening = Listening(host: address.host)
        let control = ControlState(wallClock: wallClock, faults: FaultQueue(configuration.faults))
        let router = Router(context: SandboxContext.self)
        ControlRoutes(state: control).add(to: router)
        let pace = Pace(latency: configuration.latency, clock: clock)
        AnthropicRoutes(
            keys: configuration.acceptedKeys, service: AnthropicService(fixtures: fixtures, wallClock: wallClock),
            desk: CallDesk(
                provider: .anthropic, control: control,
                rates: RateWindow(limits: configuration.rateLimits, wallClock: wallClock), pace: pace, logger: logger)
        ).add(to: router)
        OpenAIRoutes(
            keys: configuration.acceptedKeys, service: OpenAIService(fixtures: fixtures, wallClock: wallClock),
            desk: CallDesk(
                provider: .openai, control: control,
                rates: RateWindow(limits: configuration.rateLimits, wallClock: wallClock), pace: pace, logger: logger)
        ).add(to: router)
        let platform = RailwayPlatform(
            applications: applications, faults: control.faults, wallClock: wallClock, pace: pace, logger: logger)
        RailwayRoutes(
            keys: configuration.acceptedKeys, platform: platform, limits: configuration.railway,
            rates: RailwayRateWindow(limit: configuration.railway.requestsPerHour, wallClock: wallClock),
            control: control, logger: logger
        ).add(to: router)
        router.get("health") { _, _ in Response.json(.ok, ["status": "ok"]) }
        application = Application(
            responder: router.buildResponder(),
            server: .http1(configuration: .init(additionalChannelHandlers: [ClosesWithItsClient()])),
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: configuration.port), serverName: "sandbox"),
            onServerRunning: { channel in
                guard let port = channel.localAddress?.port else { return }
                listening.succeed(port: port)
                logger.info("sandbox listens", metadata: ["address": "\(address.host):\(port)"])
            },
            logger: logger)
        application.addServices(platform)
        self.listening = listening
        self.control = control
    }

    /// Serves until the task is cancelled or a graceful shutdown begins, which lets go of every held call and waits
    /// for those in flight.
    public func run() async throws {
        do {
            try await withGracefulShutdownHandler {
                try await application.run()
            } onGracefulShutdown: {
                control.releaseEverything()
            }
            listening.fail(SandboxError.notListening)
        } catch {
            listening.fail(error)
            throw error
        }
    }

    /// The address, once the server is bound to it.
    ///
    /// - Throws: why it could not be bound; `CancellationError`.
    public func waitUntilListening() async throws -> SandboxAddress {
        try await listening.address()
    }
}
