import Domain

/// A routing table that serves given keys and carries nothing out.
struct ServedRoutes: Dispatch {
    let routes: [RouteKey]

    /// Two AI providers, and the five commands for `railway` and `core`.
    static let usual = ServedRoutes(
        routes: [.aiProvider("claude"), .aiProvider("openai_codex")]
            + ["setup_database", "create_deployment_config", "deploy_application", "setup_domain", "setup_monitoring"]
            .flatMap { [.command($0, provider: "railway"), .command($0, provider: "core")] })

    func route(for key: RouteKey) -> Route? {
        guard routes.contains(key) else { return nil }
        return Route(
            pluginID: "test", pluginVersion: "1.0.0", operation: "test", defaultModel: nil, ledgerName: "custom",
            isMetered: false)
    }

    func invoke(
        _ invocation: Invocation, onChunk: @Sendable (CallChunk) async -> Void
    ) async throws(ProviderError) -> JSON {
        throw ProviderError(.invalid, "nothing is carried out here")
    }
}
