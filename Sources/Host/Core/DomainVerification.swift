public import Domain
public import Logging
public import ServiceLifecycle

/// Looks now and then whether the DNS records of custom domains are in place: their provider is asked, and a domain
/// that answers becomes its execution's address.
public struct DomainVerification: Service {
    static let width = 8
    /// Records that are not there after about a week will not come.
    static let maximumAttempts = 230

    private let watch: any DomainWatch
    private let dispatch: any Dispatch
    private let clock: any WallClock
    private let pause: @Sendable () async throws -> Void
    private let logger: Logger

    /// - Parameter pause: waits between two looks for domains that are due.
    public init(
        watch: any DomainWatch, dispatch: any Dispatch, clock: any WallClock = SystemWallClock(), logger: Logger,
        pause: @escaping @Sendable () async throws -> Void = { try await Task.sleep(for: .seconds(1)) }
    ) {
        self.watch = watch
        self.dispatch = dispatch
        self.clock = clock
        self.logger = logger
        self.pause = pause
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await lookAtDue()
                do { try await pause() } catch { return }
            }
        }
    }

    func lookAtDue() async {
        let due: [PendingDomain]
        do { due = try await watch.takeDue(limit: Self.width) } catch {
            logger.warning("pending domains could not be taken", metadata: ["error": "\(error)"])
            return
        }
        await withDiscardingTaskGroup { group in
            for domain in due { group.addTask { await look(at: domain) } }
        }
    }

    private func look(at domain: PendingDomain) async {
        do throws(LedgerError) {
            if await isActive(domain) {
                try await watch.activate(domain)
                logger.info("a domain is active", metadata: ["domain": "\(domain.domain)"])
            } else {
                try await watch.postpone(domain, by: Self.delay(after: domain.attempts))
            }
        } catch {
            logger.warning(
                "a domain's standing could not be recorded",
                metadata: ["domain": "\(domain.domain)", "error": "\(error)"])
        }
    }

    /// Often at first, when somebody is setting the records; hourly in the end.
    static func delay(after attempts: Int) -> Duration? {
        guard attempts < maximumAttempts else { return nil }
        return min(.seconds(5) * (1 << min(attempts / 6, 10)), .seconds(3_600))
    }

    private func isActive(_ domain: PendingDomain) async -> Bool {
        let key = RouteKey.command(domain.effect.command, provider: domain.effect.provider)
        guard let route = dispatch.route(for: key), let operation = route.lookup else { return false }
        let now = clock.now()
        let invocation = Invocation(
            route: route.operation(operation), callID: UUIDv7(at: now), input: domain.effect.inquiry,
            tenant: domain.userID.description, attempt: domain.attempts + 1, idempotencyKey: domain.effect.key,
            deadline: now.advanced(by: .seconds(30)))
        do throws(ProviderError) {
            let answer = try await dispatch.invoke(invocation) { _ in }
            return answer["result"]?["status"] == "active"
        } catch {
            logger.debug(
                "a domain could not be looked at", metadata: ["domain": "\(domain.domain)", "error": "\(error)"])
            return false
        }
    }
}
