public import Hummingbird
public import Logging
import NIOCore

/// The HTTP face of the host: the specification's REST API under `/v1`, and what probes and scrapers read.
public struct APIServer: Sendable {
    private let dependencies: APIDependencies
    let unread: UnreadAnswers

    public init(dependencies: APIDependencies) {
        self.dependencies = dependencies
        unread = UnreadAnswers(limit: dependencies.maximumUnreadBytes)
    }

    /// All routes. Answers do not depend on the server they are served by.
    public func makeRouter() -> Router<APIContext> {
        let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
        let turns = RequestTurns(dependencies.requestLimits, unread: unread)
        router.add(middleware: RequestBoundary(metrics: HTTPMetrics(registry: dependencies.metrics), turns: turns))
        let authenticator = Authenticator(
            accounts: dependencies.accounts, keys: dependencies.keys, clock: dependencies.clock)
        RegistrationRoutes(dependencies: dependencies).add(to: router)
        TemplateRoutes(dependencies: dependencies, authenticator: authenticator).add(to: router)
        ExecutionRoutes(dependencies: dependencies, authenticator: authenticator).add(to: router)
        LogRoutes(dependencies: dependencies, authenticator: authenticator).add(to: router)
        RepositoryRoutes(dependencies: dependencies, authenticator: authenticator).add(to: router)
        OperationsRoutes(dependencies: dependencies).add(to: router)
        return router
    }

    /// The server as a service: listens when it runs, finishes requests under way when it is shut down.
    ///
    /// - Parameters:
    ///   - port: 0 takes any free one.
    ///   - onListening: Called once with the port, when connections are accepted.
    public func makeApplication(
        hostname: String, port: Int, logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) -> Application<RouterResponder<APIContext>> {
        let connections = ConnectionCount(limit: dependencies.maximumConnections, registry: dependencies.metrics)
        return Application(
            router: makeRouter(),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [
                        ConnectionLimit(connections), RequestDeadline(), UnreadAnswersOfConnection(unread),
                        ClientWatch(),
                    ], idleTimeout: .seconds(60),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 16 * 1_024, maxHeaderListSize: 32 * 1_024, maxHeaderFieldCount: 100))),
            configuration: ApplicationConfiguration(
                address: .hostname(hostname, port: port), backlog: 4_096,
                availableConnectionsDelegate: .maximum(connections.limit + Self.refusals, logger: logger)),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? port) }, logger: logger)
    }

    /// Connections beyond the limit that are being told so; more wait in the kernel's backlog until one closes.
    private static let refusals = 256
}
