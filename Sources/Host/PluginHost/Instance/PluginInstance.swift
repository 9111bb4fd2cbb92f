import Domain
import Logging
import Metrics
import PluginABI
import Synchronization

/// One running plugin: its foreign instance, the thread on which all its functions are called, its calls and the
/// services that work for them.
final class PluginInstance: Sendable {
    /// Unchecked: the pointer is the plugin's own and is only handed back, on the instance's thread.
    @safe struct Foreign: @unchecked Sendable {
        let pointer: UnsafeMutableRawPointer?
    }

    private struct State {
        var foreign: Foreign?
        var calls: [aib_id: HostedCall] = [:]
        var services: [aib_id: HostedService] = [:]
        /// Calls that the plugin never completed: it may still be at work on them.
        var abandonedCalls = 0
        var isClosing = false
        /// What the plugin logged as an error last while it was created.
        var creationError: String?
    }

    /// Calls that wait for a place. Each is a step of a run that waits anyway: a line that is full would fail runs for
    /// nothing but the host's being busy.
    private static let maximumWaiting = 65_536

    let library: PluginLibrary
    let environment: HostEnvironment
    let egress: EgressPolicy
    let secrets: SecretScope
    let scrubber: Scrubber
    let logger: Logger
    let thread: SerialThread
    private let gate: ConcurrencyGate
    private let state = Mutex(State())
    /// No call is left of an instance that is closing.
    private let drained = Latch()
    private let closed = Latch()
    /// Calls, transfers and timers are numbered from here: an id is never used twice.
    private let lastID = Atomic<UInt64>(0)

    var manifest: PluginManifest { library.manifest }

    init(
        _ library: PluginLibrary, egress: EgressPolicy, secrets: SecretScope, thread: SerialThread,
        environment: HostEnvironment
    ) {
        self.library = library
        self.environment = environment
        self.egress = egress
        self.secrets = secrets
        self.thread = thread
        scrubber = Scrubber(secrets)
        var logger = environment.logger
        logger[metadataKey: "plugin"] = "\(library.manifest.id)"
        self.logger = logger
        gate = ConcurrencyGate(
            plugin: library.manifest.id, limit: library.manifest.concurrency,
            maximumWaiting: Self.maximumWaiting, timers: environment.timers)
    }

    var callsInFlight: Int { state.withLock { $0.calls.count } }
    var placesTaken: Int { gate.inFlight }

    // MARK: Calls, from the host's side

    func invoke(
        _ invocation: Invocation, onChunk: @Sendable (CallChunk) async -> Void
    ) async throws(ProviderError) -> JSON {
        let remaining = invocation.deadline.duration(since: environment.clock.now())
        guard remaining > .zero else {
            throw ProviderError(.timeout, "the call's deadline had passed before it began", isRetryable: true)
        }
        try await gate.enter(for: invocation.tenant, within: remaining)
        let call = HostedCall(id: newID(), invocation: invocation, instance: self, hasServer: manifest.isServedByTask)
        guard add(call) else {
            gate.leave()
            throw ProviderError(.cancelled, "the plugin \(manifest.id) is shutting down", isRetryable: true)
        }
        let left = invocation.deadline.duration(since: environment.clock.now())
        call.keep(environment.timers.schedule(after: left) { call.expire() })
        thread.post { self.start(call) }
        // Unstructured, for a blob store that hangs must not hold up the caller. The call's place in the line stays taken
        // until it returns, so there are never more such tasks than places.
        let server = manifest.isServedByTask ? Task { await self.serve(call) } : nil
        defer { server?.cancel() }
        let outcome = await withTaskCancellationHandler {
            while true {
                switch await call.next() {
                case .chunk(let chunk, let bytes):
                    await onChunk(chunk)
                    call.took(bytes)
                case .over(let outcome): return outcome
                }
            }
        } onCancel: {
            call.cancel()
        }
        return try result(outcome, of: call)
    }

    private func add(_ call: HostedCall) -> Bool {
        state.withLock { state in
            guard !state.isClosing else { return false }
            state.calls[call.id] = call
            return true
        }
    }

    func call(_ id: aib_id) -> HostedCall? { state.withLock { $0.calls[id] } }

    /// The id names nothing from now on.
    func forget(_ call: HostedCall, wasAbandoned: Bool) {
        let isDrained = state.withLock { state in
            state.calls[call.id] = nil
            if wasAbandoned { state.abandonedCalls += 1 }
            return state.isClosing && state.calls.isEmpty
        }
        if isDrained { drained.open() }
    }

    /// The call's place in the plugin's line is free.
    func leave() { gate.leave() }

    func newID() -> aib_id { lastID.add(1, ordering: .relaxed).newValue }
    func wasIssued(_ id: aib_id) -> Bool { id > 0 && id <= lastID.load(ordering: .relaxed) }

    // MARK: Services

    func add(_ service: HostedService, _ id: aib_id) { state.withLock { $0.services[id] = service } }
    func service(_ id: aib_id) -> HostedService? { state.withLock { $0.services[id] } }

    /// Puts one in the place of another; false where that had ended.
    func replace(_ service: HostedService, _ id: aib_id) -> Bool {
        state.withLock { state in
            guard state.services[id] != nil else { return false }
            state.services[id] = service
            return true
        }
    }

    /// Takes a service out of the table; nil where it had ended.
    func remove(_ id: aib_id) -> HostedService? { state.withLock { $0.services.removeValue(forKey: id) } }

    /// Ends what works for a call that is over.
    func end(_ services: Set<aib_id>) {
        for id in services { remove(id)?.end(environment.timers) }
    }

    // MARK: Misbehaviour and life

    func count(_ misbehaviour: Misbehaviour, call: HostedCall? = nil) {
        Counter(
            label: "plugin_misbehaviour_total", dimensions: [("plugin", manifest.id), ("kind", misbehaviour.rawValue)]
        ).increment()
        logger.log(
            level: misbehaviour == .slowFunction ? .debug : .warning, "the plugin broke a rule of the ABI",
            metadata: [
                "kind": "\(misbehaviour.rawValue)", "call": "\(call?.invocation.callID.description ?? "none")",
            ])
    }

    var foreign: Foreign? {
        get { state.withLock { $0.foreign } }
        set { state.withLock { $0.foreign = newValue } }
    }

    var creationError: String? {
        get { state.withLock { $0.creationError } }
        set { state.withLock { $0.creationError = newValue } }
    }

    /// Ends all calls, destroys the foreign instance where nothing of it can be at work any more, and lets its
    /// thread end. Takes the grace period at most, and once more the patience for a plugin that hangs. Calling it again
    /// waits for the same end.
    func shutdown() async {
        gate.close()
        let calls: [HostedCall]? = state.withLock { state in
            defer { state.isClosing = true }
            return state.isClosing ? nil : Array(state.calls.values)
        }
        guard let calls else { return await closed.wait() }
        defer { closed.open() }
        if calls.isEmpty { drained.open() }
        for call in calls { call.cancel() }
        await drained.wait()
        guard state.withLock({ $0.abandonedCalls }) == 0 else {
            logger.warning("the plugin is not destroyed, for it never completed some of its calls")
            return thread.stop()
        }
        if await thread.run(within: environment.patience, environment.timers, { self.destroy() }) == nil {
            logger.warning("the plugin did not return from destroy")
        }
        thread.stop()
    }
}

extension PluginManifest {
    /// Whether it may ask for what is done in the calls' own tasks.
    fileprivate var isServedByTask: Bool { services.contains("aib.hmac/1") || services.contains("aib.blob/1") }
}
