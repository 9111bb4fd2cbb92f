public import Domain
public import Logging
import Synchronization
import Threads

/// The loaded plugins and the routing table over them. Any thread.
public final class PluginRegistry: Sendable {
    struct Plugin: Sendable {
        let path: String
        let digest: String
        let manifest: PluginManifest
        let routes: [RouteKey: Route]
        /// nil where the plugin is disabled.
        let instance: PluginInstance?
        var health: PluginHealth
    }

    struct State {
        var plugins: [String: Plugin] = [:]
        /// What a load in progress has taken: id to path.
        var reserved: [String: (path: String, keys: [RouteKey])] = [:]
        /// In the order of loading.
        var order: [String] = []
        var loads = 0
        var isShutDown = false
    }

    let environment: HostEnvironment
    let state = Mutex(State())
    /// Opens when nothing is loaded any more after a shutdown has begun.
    let idle = Latch()

    /// - Parameters:
    ///   - clock: what the calls' deadlines are measured against.
    ///   - logger: the plugins' lines go there, with the metadata `plugin` and `call`.
    public convenience init(
        transport: any HTTPTransport, blobs: any BlobStore, clock: any WallClock, logger: Logger
    ) {
        self.init(
            transport: transport, blobs: blobs, clock: clock, logger: logger, grace: .seconds(2),
            patience: .seconds(10))
    }

    init(
        transport: any HTTPTransport, blobs: any BlobStore, clock: any WallClock, logger: Logger, grace: Duration,
        patience: Duration
    ) {
        do throws(OwnedThread.Unavailable) {
            environment = HostEnvironment(
                transport: transport, blobs: blobs, clock: clock, logger: logger, timers: try TimerThread(),
                grace: grace, patience: patience)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// Every plugin in the order of loading, with its health as it was last known.
    public var plugins: [PluginDescription] {
        state.withLock { state in
            state.order.compactMap { state.plugins[$0] }.map { plugin in
                PluginDescription(
                    id: plugin.manifest.id, name: plugin.manifest.name, version: plugin.manifest.version,
                    path: plugin.path, digest: plugin.digest, operations: plugin.manifest.operations.map(\.name),
                    served: plugin.manifest.serves.map(\.key).filter { plugin.routes[$0] != nil },
                    health: plugin.health)
            }
        }
    }

    /// Asks every plugin how it fares. One that does not answer within a second is `unresponsive`.
    public func refreshHealth() async {
        let instances = state.withLock { $0.plugins.compactMapValues(\.instance) }
        await withTaskGroup(of: (String, PluginHealth).self) { group in
            for (id, instance) in instances {
                group.addTask {
                    // One that is known to hang is not asked again and again.
                    guard instance.thread.busyTime < .seconds(1) else { return (id, .unresponsive) }
                    let health = await instance.thread.run(within: .seconds(1), self.environment.timers) {
                        instance.health()
                    }
                    return (id, health ?? .unresponsive)
                }
            }
            for await (id, health) in group { state.withLock { $0.plugins[id]?.health = health } }
        }
    }

    /// Cancels all calls, waits until they have ended or their grace is over, and destroys the plugins. Nothing is
    /// served afterwards. Calling it again waits for the same end.
    public func shutdown() async {
        let (instances, isIdle) = state.withLock { state in
            state.isShutDown = true
            return (state.plugins.values.compactMap(\.instance), state.loads == 0)
        }
        if isIdle { idle.open() }
        await withDiscardingTaskGroup { group in
            for instance in instances { group.addTask { await instance.shutdown() } }
        }
        // Loads in progress take down themselves what they have made, within the plugins' patience.
        await idle.wait()
        environment.timers.stop()
    }
}

extension PluginRegistry: Dispatch {
    public func route(for key: RouteKey) -> Route? {
        state.withLock { state in
            for plugin in state.plugins.values {
                if let route = plugin.routes[key] { return route }
            }
            return nil
        }
    }

    public var routes: [RouteKey] {
        state.withLock { state in
            state.order.compactMap { state.plugins[$0] }.flatMap { plugin in
                plugin.manifest.serves.map(\.key).filter { plugin.routes[$0] != nil }
            }
        }
    }

    public func invoke(
        _ invocation: Invocation, onChunk: @Sendable (CallChunk) async -> Void
    ) async throws(ProviderError) -> JSON {
        let id = invocation.route.pluginID
        guard let instance = state.withLock({ $0.plugins[id]?.instance }) else {
            throw ProviderError(.internal, "no plugin \"\(id)\" is loaded and enabled")
        }
        return try await instance.invoke(invocation, onChunk: onChunk)
    }
}
