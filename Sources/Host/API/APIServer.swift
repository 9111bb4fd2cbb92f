public import Hummingbird
public import Logging
import NIOCore

/// The HTTP face of the host: the specification's REST API under `/v1`, and what probes and scrapers read.
public struct APIServer: Sendable {
    private let dependencies: APIDependencies

    public init(dependencies: APIDependencies) { self.dependencies = dependencies }

    /// All routes. Answers do not depend on the server they are served by.
    public func makeRouter() -> Router<APIContext> {
        let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestBoundary(metrics: HTTPMetrics(registry: dependencies.metrics)))
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
        Application(
            router: makeRouter(),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [ClientWatch()], idleTimeout: .seconds(60),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 16 * 1_024, maxHeaderListSize: 32 * 1_024, maxHeaderFieldCount: 100))),
            configuration: ApplicationConfiguration(
                address: .hostname(hostname, port: port), backlog: 1_024,
                availableConnectionsDelegate: .maximum(Self.maximumConnections, logger: logger)),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? port) }, logger: logger)
    }

    /// Connections beyond these wait in the backlog until one closes.
    private static let maximumConnections = 10_000
}
