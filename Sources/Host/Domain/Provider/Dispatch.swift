/// What a step asks the outside world for: the key of the routing table.
public enum RouteKey: Sendable, Hashable, CustomStringConvertible {
    /// An `ai_call` step's `ai_provider`.
    case aiProvider(String)
    /// A `system_call` step's `command` and the provider that carries it out.
    case command(String, provider: String)

    public var description: String {
        switch self {
        case .aiProvider(let name): "ai_provider \(name)"
        case .command(let name, let provider): "command \(name) of \(provider)"
        }
    }
}

/// Where a step's call goes: one operation of one plugin.
public struct Route: Sendable, Hashable {
    public let pluginID: String
    public let pluginVersion: String
    public let operation: String
    /// What a plugin's configuration says to use when a step names no model.
    public let defaultModel: String?
    /// The value of `ai_api_calls.ai_provider`: `claude`, `openai` or `custom`.
    public let ledgerName: String
    /// Whether its calls are priced by the price table; a call that is not costs nothing, and is still recorded.
    public let isMetered: Bool
    /// The operation that tells what became of an effect: asked after a crash, before the effect is begun again.
    public let lookup: String?
    /// The operation that takes the effect back. A route with one has an effect on the outside world.
    public let undo: String?

    public init(
        pluginID: String, pluginVersion: String, operation: String, defaultModel: String?, ledgerName: String,
        isMetered: Bool, lookup: String? = nil, undo: String? = nil
    ) {
        self.pluginID = pluginID
        self.pluginVersion = pluginVersion
        self.operation = operation
        self.defaultModel = defaultModel
        self.ledgerName = ledgerName
        self.isMetered = isMetered
        self.lookup = lookup
        self.undo = undo
    }

    public var hasEffect: Bool { undo != nil }

    /// The same plugin's other operation.
    public func operation(_ name: String) -> Route {
        Route(
            pluginID: pluginID, pluginVersion: pluginVersion, operation: name, defaultModel: defaultModel,
            ledgerName: ledgerName, isMetered: isMetered, lookup: lookup, undo: undo)
    }
}

/// One call of one operation, as the engine hands it to the plugin host.
public struct Invocation: Sendable {
    public let route: Route
    /// Identifies the call everywhere: ledger row, request header, log.
    public let callID: UUIDv7
    public let input: JSON
    /// Opaque to the plugin: the user the call is made for.
    public let tenant: String
    public let attempt: Int
    /// Stable over the attempts of one step of one execution.
    public let idempotencyKey: String
    public let deadline: Timestamp
    /// The values of the secrets that the input refers to, by the reference's id. The plugin does not see them: the
    /// host fills them into its requests.
    public let secrets: [String: String]
    /// Whether the host may still act for the call's run. Asked before each request that the call sends: a host that
    /// was stopped in the middle of a call must not go on with it once another has taken the run over.
    public let mayAct: @Sendable () -> Bool

    public init(
        route: Route, callID: UUIDv7, input: JSON, tenant: String, attempt: Int, idempotencyKey: String,
        deadline: Timestamp, secrets: [String: String] = [:], mayAct: @escaping @Sendable () -> Bool = { true }
    ) {
        self.route = route
        self.callID = callID
        self.input = input
        self.tenant = tenant
        self.attempt = attempt
        self.idempotencyKey = idempotencyKey
        self.deadline = deadline
        self.secrets = secrets
        self.mayAct = mayAct
    }
}

/// What a plugin pushes while a call runs.
public enum CallChunk: Sendable {
    /// A piece of generated text.
    case text(String)
    /// Consumption so far; each replaces the one before.
    case usage(TokenUsage)
    /// A line of what the provider does on the call's behalf.
    case log(LogStream, String)
}

/// Which of a deployment's logs a line belongs to.
public enum LogStream: String, Sendable, Hashable, CaseIterable {
    case build, deploy
}

/// The port to everything outside: the routing table over the enabled plugins, and the way through it.
public protocol Dispatch: Sendable {
    func route(for key: RouteKey) -> Route?
    /// Every key that something serves, for "did you mean".
    var routes: [RouteKey] { get }

    /// Carries out one call. Cancelling the task cancels the call at the plugin.
    ///
    /// - Parameter onChunk: called in order, never concurrently, for what the plugin emits. The plugin is held
    ///   back while it runs.
    /// - Returns: the operation's result, as the plugin completed it.
    /// - Throws: `ProviderError` only.
    func invoke(
        _ invocation: Invocation, onChunk: @Sendable (CallChunk) async -> Void
    ) async throws(ProviderError) -> JSON
}
