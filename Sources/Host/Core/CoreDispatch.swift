public import Domain

/// The routing table over the plugins with the host's own provider `core` beneath it: what no plugin does for a step,
/// the host does itself where it can.
///
/// `core` serves `create_deployment_config` and `setup_monitoring` for every provider that some plugin serves, and
/// `setup_database` where the operator gave a server for applications. A plugin that serves the same key comes first.
public struct CoreDispatch: Dispatch {
    public static let providerName = "core"

    private let plugins: any Dispatch
    private let core: CoreProvider

    public init(over plugins: any Dispatch, core: CoreProvider) {
        self.plugins = plugins
        self.core = core
    }

    public func route(for key: RouteKey) -> Route? {
        if let route = plugins.route(for: key) { return route }
        guard case .command(let command, let provider) = key,
            let operation = CoreProvider.Operation(command: command), core.serves(operation),
            provider == Self.providerName || isServed(provider)
        else { return nil }
        return core.route(to: operation)
    }

    public var routes: [RouteKey] {
        let served = plugins.routes
        let providers = [Self.providerName] + Set(served.compactMap(\.commandProvider)).sorted()
        let own = CoreProvider.Operation.allCases.filter(core.serves).flatMap { operation in
            providers.map { RouteKey.command(operation.command, provider: $0) }
        }
        return served + own.filter { !served.contains($0) }
    }

    private func isServed(_ provider: String) -> Bool {
        plugins.routes.contains { $0.commandProvider == provider }
    }

    public func invoke(
        _ invocation: Invocation, onChunk: @Sendable (CallChunk) async -> Void
    ) async throws(ProviderError) -> JSON {
        guard invocation.route.pluginID == Self.providerName else {
            return try await plugins.invoke(invocation, onChunk: onChunk)
        }
        return try await core.invoke(invocation)
    }
}

extension RouteKey {
    fileprivate var commandProvider: String? {
        if case .command(_, let provider) = self { provider } else { nil }
    }
}
