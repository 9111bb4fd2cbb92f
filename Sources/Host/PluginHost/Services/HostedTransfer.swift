import Domain
import PluginABI
import Synchronization

/// One HTTP transfer of a call, between the transport's thread and the plugin's.
///
/// The peer is held back while the plugin has not seen what has come already: above `highWater` the transport is
/// paused, below `lowWater` it goes on, unless the plugin itself has paused it.
final class HostedTransfer: Sendable {
    /// What the ABI allows to be held is 256 KiB; a transport may deliver 64 KiB more after it was paused.
    static let highWater = 196_608
    static let lowWater = 131_072
    /// What a piece counts for beside its bytes: the event that carries it takes room too.
    static let eventOverhead = 512

    private struct State {
        var transfer: (any HTTPTransfer)?
        var unseenBytes = 0
        var isWindowFull = false
        var isPausedByPlugin = false
        /// What the transport was told last.
        var isPaused = false
        var isBodyFinished: Bool
        var isWritableQueued = false
        var isOver = false

        /// Decides anew whether to hold the peer back; nil where nothing is to be told.
        mutating func repause() -> Bool? {
            if unseenBytes >= HostedTransfer.highWater { isWindowFull = true }
            if unseenBytes < HostedTransfer.lowWater { isWindowFull = false }
            let mustPause = isWindowFull || isPausedByPlugin
            guard transfer != nil, mustPause != isPaused else { return nil }
            isPaused = mustPause
            return mustPause
        }
    }

    let id: aib_id
    let call: HostedCall
    let user: UInt64
    private let request: OutboundRequest
    private let instance: PluginInstance
    /// Held from a decision about pausing until the transport was told: two that were told in the wrong order would leave
    /// the transfer paused for ever. The transport never calls back meanwhile.
    private let telling = Mutex(())
    private let state: Mutex<State>

    init(id: aib_id, call: HostedCall, user: UInt64, request: OutboundRequest, instance: PluginInstance) {
        self.id = id
        self.call = call
        self.user = user
        self.request = request
        self.instance = instance
        var isBodyFinished = true
        if case .stream = request.body { isBodyFinished = false }
        state = Mutex(State(isBodyFinished: isBodyFinished))
    }

    /// What is queued for the plugin.
    var unseenBytes: Int { state.withLock { $0.unseenBytes } }

    /// Starts it with a blob for its body, or fails it where there is none.
    func start(body: Result<[UInt8], ProviderError>) {
        switch body {
        case .success(let bytes):
            var request = request
            request.body = .bytes(bytes)
            start(request)
        case .failure(let error): receive(.failed(error))
        }
    }

    func start() { start(request) }

    private func start(_ request: OutboundRequest) {
        guard call.invocation.mayAct() else {
            return receive(.failed(ProviderError(.cancelled, "the host may no longer act for this run")))
        }
        let transfer = instance.environment.transport.prepare(request) { self.receive($0) }
        var isOver = false
        change { state in
            isOver = state.isOver
            if !isOver { state.transfer = transfer }
        }
        // Only what can be told to pause may begin: the peer is quicker than this thread.
        if !isOver { transfer.begin() }
    }

    // MARK: The plugin's side

    /// Ends it; no event of it begins afterwards. False where it was over.
    @discardableResult
    func cancel() -> Bool {
        let (wasOpen, transfer) = state.withLock { state in
            defer {
                state.isOver = true
                state.transfer = nil
            }
            return (!state.isOver, state.transfer)
        }
        transfer?.cancel()
        return wasOpen
    }

    func pause(_ isPaused: Bool) { change { $0.isPausedByPlugin = isPaused } }

    func write(_ bytes: [UInt8]) -> Int {
        let (status, transfer) = state.withLock { state -> (Int, (any HTTPTransfer)?) in
            if state.isOver { return (AIB_E_STALE, nil) }
            if state.isBodyFinished { return (AIB_E_INVALID, nil) }
            return (AIB_E_AGAIN, state.transfer)
        }
        guard let transfer else { return status }
        return transfer.write(bytes) ? AIB_OK : AIB_E_AGAIN
    }

    func finish() -> Int {
        let (status, transfer) = state.withLock { state -> (Int, (any HTTPTransfer)?) in
            if state.isOver { return (AIB_E_STALE, nil) }
            if state.isBodyFinished { return (AIB_E_INVALID, nil) }
            state.isBodyFinished = true
            return (AIB_OK, state.transfer)
        }
        transfer?.finishBody()
        return status
    }

    // MARK: The transport's side

    private func receive(_ event: HTTPEvent) {
        switch event {
        case .head(let status, let headers, let version):
            let json: JSON = [
                "status": .integer(Int64(status)), "version": .string(version),
                "headers": .array(headers.map { [.string($0.name.lowercased()), .string($0.value)] }),
            ]
            deliver(.httpHead, json.bytes)
        case .data(let bytes):
            let weight = bytes.count + Self.eventOverhead
            change { $0.unseenBytes += weight }
            instance.deliver(.httpData, to: call, user: user, handle: id, bytes) {
                self.isOpen
            } then: {
                self.change { $0.unseenBytes -= weight }
            }
        case .writable: deliverWritable()
        case .end:
            instance.deliver(.httpEnd, to: call, user: user, handle: id, if: { self.close() })
        case .failed(let error):
            instance.deliverFailure(error, to: call, user: user, handle: id, if: { self.close() })
        }
    }

    private var isOpen: Bool { state.withLock { !$0.isOver } }

    private func deliver(_ kind: EventKind, _ data: [UInt8]) {
        instance.deliver(kind, to: call, user: user, handle: id, data) { self.isOpen }
    }

    private func deliverWritable() {
        let isQueued = state.withLock { state in
            defer { state.isWritableQueued = true }
            return state.isWritableQueued
        }
        guard !isQueued else { return }
        instance.deliver(.writable, to: call, user: user, handle: id) {
            self.state.withLock { state in
                state.isWritableQueued = false
                return !state.isOver
            }
        }
    }

    /// The transfer's last event is about to be delivered; false where the plugin has ended it.
    private func close() -> Bool {
        call.release(id)
        _ = instance.remove(id)
        return state.withLock { state in
            defer {
                state.isOver = true
                state.transfer = nil
            }
            return !state.isOver
        }
    }

    /// Changes what decides about pausing, and tells the transport where that decision changed.
    private func change(_ body: (inout State) -> Void) {
        telling.withLock { _ in
            let (transfer, mustPause) = state.withLock { state -> ((any HTTPTransfer)?, Bool?) in
                body(&state)
                return (state.transfer, state.repause())
            }
            if let mustPause { mustPause ? transfer?.pause() : transfer?.resume() }
        }
    }
}
