import Domain
import PluginABI
import Synchronization

/// One call in flight: its state, what the plugin has emitted and the caller not yet taken, and the host services
/// that work for it.
final class HostedCall: Sendable {
    /// Timers, transfers and requests at once; beyond it a service answers `AIB_E_LIMIT`.
    static let maximumServices = 64
    /// Events that wait for the instance's thread. A service that is ended leaves its events behind, so that the number
    /// of services alone would not bound them: beyond this one none is begun.
    static let maximumQueuedEvents = 1_024
    /// Bytes that wait for the hmac and blob services.
    static let maximumRequestBytes = 32 << 20

    private struct State {
        var call = CallState()
        var output = CallOutput()
        var outcome: Outcome?
        var caller: CheckedContinuation<Step, Never>?
        var lastUsage: TokenUsage?
        var timers: [TimerThread.ID] = []
        var services: Set<aib_id> = []
        var requests: [ServiceRequest] = []
        var requestBytes = 0
        var server: CheckedContinuation<ServiceRequest?, Never>?
        /// A place in the plugin's line is given back when the call is over, `start` has returned and the call's own
        /// task has ended, so that a plugin or a blob store which hangs is not sent ever more.
        var isHeldByStart = true
        var isHeldByServer: Bool
        var isWritableQueued = false

        /// What the caller gets now, if anything. Where the host ended the call, what was emitted is dropped.
        mutating func nextStep() -> Step? {
            switch outcome {
            case nil, .completed?: break
            case .refused?, .cancelled?, .timedOut?: return outcome.map(Step.over)
            }
            if let (chunk, bytes) = output.next() { return .chunk(chunk, bytes: bytes) }
            return outcome.map(Step.over)
        }
    }

    let id: aib_id
    let invocation: Invocation
    let input: [UInt8]
    /// The plugin's own secrets and the call's.
    let secrets: SecretScope
    let scrubber: Scrubber
    private let instance: PluginInstance
    private let queuedEvents = Atomic(0)
    private let state: Mutex<State>

    /// - Parameter hasServer: `served` will be called.
    init(id: aib_id, invocation: Invocation, instance: PluginInstance, hasServer: Bool) {
        self.id = id
        self.invocation = invocation
        self.instance = instance
        state = Mutex(State(isHeldByServer: hasServer))
        input = invocation.input.bytes
        guard !invocation.secrets.isEmpty else {
            (secrets, scrubber) = (instance.secrets, instance.scrubber)
            return
        }
        secrets = instance.secrets.adding(invocation.secrets)
        scrubber = Scrubber(secrets)
    }

    /// What the plugin said last about the call's consumption.
    var lastUsage: TokenUsage? { state.withLock { $0.lastUsage } }
    var isServed: Bool { state.withLock { $0.call.isServed } }

    // MARK: The caller's side

    /// The next chunk, or the end once all chunks were taken. One task at a time.
    func next() async -> Step {
        await withCheckedContinuation { continuation in
            let step: Step? = state.withLock { state in
                let step = state.nextStep()
                if step == nil { state.caller = continuation }
                return step
            }
            if let step { continuation.resume(returning: step) }
        }
    }

    /// The caller is done with a chunk.
    func took(_ bytes: Int) {
        let mustTell = state.withLock { state in
            guard state.call.take(bytes), !state.isWritableQueued else { return false }
            state.isWritableQueued = true
            return true
        }
        guard mustTell else { return }
        instance.deliver(.writable, to: self, user: 0, handle: 0) {
            self.state.withLock { $0.isWritableQueued = false }
            return true
        }
    }

    func cancel() { change { $0.call.cancel() } }
    func expire() { change { $0.call.expire() } }

    /// Keeps a timer of the host that ends with the call.
    func keep(_ timer: TimerThread.ID) {
        let isOver = state.withLock { state in
            if state.call.phase != .over { state.timers.append(timer) }
            return state.call.phase == .over
        }
        if isOver { instance.environment.timers.cancel(timer) }
    }

    // MARK: The plugin's side

    func begin() -> Bool { state.withLock { $0.call.begin() } }

    /// `start` returned, or was not needed any more.
    func started(_ status: aib_status) {
        if status != aib_status(AIB_OK) {
            change { state in
                let effects = state.call.refuse()
                if effects.answer != nil { state.outcome = .refused(status: status) }
                return effects
            }
        }
        letGo { $0.isHeldByStart = false }
    }

    /// The call's own task has ended.
    func served() { letGo { $0.isHeldByServer = false } }

    private func letGo(_ change: (inout State) -> Void) {
        let leaves = state.withLock { state in
            change(&state)
            return state.call.phase == .over && !state.isHeldByStart && !state.isHeldByServer
        }
        if leaves { instance.leave() }
    }

    func complete(_ status: aib_status, _ bytes: [UInt8]) -> Int {
        var answer = AIB_E_STALE
        change { state in
            let (status_, effects) = state.call.complete()
            answer = status_
            guard effects.answer != nil else { return effects }
            state.output.finishText()
            state.outcome = .completed(status: status, bytes: bytes)
            return effects
        }
        return answer
    }

    func emitText(_ bytes: [UInt8]) -> Int {
        emit(bytes.count) { $0.output.add(text: bytes) }
    }

    func emitUsage(_ usage: TokenUsage) -> Int {
        // It takes no room: there is never more than one to hold.
        emit(0) { state in
            state.lastUsage = usage
            state.output.add(usage: usage)
        }
    }

    /// - Parameter count: the chunk's bytes, which is what the line takes of the window.
    func emitLog(_ stream: LogStream, _ message: String, bytes count: Int) -> Int {
        let line = scrubber.clean(message, upTo: CallOutput.maximumLogBytes)
        return emit(count) { $0.output.add(log: stream, line, bytes: count) }
    }

    private func emit(_ count: Int, _ append: (inout State) -> Void) -> Int {
        let (status, step, caller) = state.withLock { state -> (Int, Step?, CheckedContinuation<Step, Never>?) in
            let status = state.call.emit(count)
            guard status == AIB_OK else { return (status, nil, nil) }
            append(&state)
            guard let caller = state.caller, let step = state.nextStep() else { return (status, nil, nil) }
            state.caller = nil
            return (status, step, caller)
        }
        if let step { caller?.resume(returning: step) }
        return status
    }

    // MARK: Services

    /// Counts a timer, transfer or request as the call's; refused where it is over or has too many.
    func adopt(_ service: aib_id) -> Int {
        state.withLock { state in
            guard state.call.isServed else { return AIB_E_STALE }
            guard state.services.count < Self.maximumServices,
                queuedEvents.load(ordering: .relaxed) < Self.maximumQueuedEvents
            else { return AIB_E_LIMIT }
            state.services.insert(service)
            return AIB_OK
        }
    }

    /// So many more events wait for the instance's thread.
    func queued(_ count: Int) { queuedEvents.add(count, ordering: .relaxed) }

    func release(_ service: aib_id) { state.withLock { _ = $0.services.remove(service) } }

    /// Queues work for the call's own task.
    func request(_ request: ServiceRequest) -> Int {
        let (status, server) = state.withLock { state -> (Int, CheckedContinuation<ServiceRequest?, Never>?) in
            guard state.call.isServed else { return (AIB_E_STALE, nil) }
            guard state.requestBytes + request.byteCount <= Self.maximumRequestBytes else { return (AIB_E_LIMIT, nil) }
            defer { state.server = nil }
            if state.server == nil {
                state.requests.append(request)
                state.requestBytes += request.byteCount
            }
            return (AIB_OK, state.server)
        }
        server?.resume(returning: request)
        return status
    }

    /// The next piece of work; nil when the call is over.
    func nextRequest() async -> ServiceRequest? {
        await withCheckedContinuation { continuation in
            let next: ServiceRequest?? = state.withLock { state in
                guard state.outcome == nil else { return .some(nil) }
                guard !state.requests.isEmpty else {
                    state.server = continuation
                    return nil
                }
                let request = state.requests.removeFirst()
                state.requestBytes -= request.byteCount
                return request
            }
            if let next { continuation.resume(returning: next) }
        }
    }

    // MARK: Effects

    func graceEnded() { change { $0.call.graceEnded() } }

    /// Applies a transition under the lock and carries out its effects after it.
    private func change(_ transition: (inout State) -> CallState.Effects) {
        let (effects, resumption, ended) = state.withLock { state in
            let effects = transition(&state)
            var resumption = Resumption()
            if let answer = effects.answer {
                if state.outcome == nil { state.outcome = answer == .timedOut ? .timedOut : .cancelled }
                resumption.server = state.server
                state.server = nil
                state.requests = []
                if let caller = state.caller, let step = state.nextStep() {
                    state.caller = nil
                    resumption.caller = (caller, step)
                }
            }
            var ended = Ended()
            if effects.endsServices {
                ended.services = state.services
                state.services = []
            }
            if effects.closes {
                ended.timers = state.timers
                state.timers = []
                ended.leaves = !state.isHeldByStart && !state.isHeldByServer
            }
            return (effects, resumption, ended)
        }
        if let misbehaviour = effects.misbehaviour { instance.count(misbehaviour, call: self) }
        instance.end(ended.services)
        for timer in ended.timers { instance.environment.timers.cancel(timer) }
        if effects.closes { instance.forget(self, wasAbandoned: effects.misbehaviour == .neverCompleted) }
        if ended.leaves { instance.leave() }
        if effects.tellsPlugin { instance.tellCancel(self) }
        if effects.startsGrace {
            keep(instance.environment.timers.schedule(after: instance.environment.grace) { self.graceEnded() })
        }
        resumption.server?.resume(returning: nil)
        if let (caller, step) = resumption.caller { caller.resume(returning: step) }
    }

    private struct Resumption {
        var caller: (CheckedContinuation<Step, Never>, Step)?
        var server: CheckedContinuation<ServiceRequest?, Never>?
    }

    private struct Ended {
        var services: Set<aib_id> = []
        var timers: [TimerThread.ID] = []
        var leaves = false
    }
}
