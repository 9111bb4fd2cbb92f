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

    private struct State {
        var transfer: (any HTTPTransfer)?
        var unseenBytes = 0
        var isWindowFull = false
        var isPausedByPlugin = false
        /// What the transport was told last.
        var isPaused = false
        var isBodyFinished: Bool
        var isOver = false
    }

    let id: aib_id
    let call: HostedCall
    let user: UInt64
    private let request: OutboundRequest
    private let instance: PluginInstance
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
        guard !state.withLock({ $0.isOver }) else { return }
        let transfer = instance.environment.transport.start(request) { self.receive($0) }
        let (isOver, mustPause) = state.withLock { state in
            if !state.isOver { state.transfer = transfer }
            return (state.isOver, state.isPaused)
        }
        if isOver { transfer.cancel() } else if mustPause { transfer.pause() }
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
            return (state.isBodyFinished ? AIB_E_INVALID : AIB_OK, state.transfer)
        }
        guard status == AIB_OK, let transfer else { return status }
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
            change { $0.unseenBytes += bytes.count }
            instance.deliver(.httpData, to: call, user: user, handle: id, bytes) {
                self.isOpen
            } then: {
                self.change { $0.unseenBytes -= bytes.count }
            }
        case .writable: deliver(.writable, [])
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
        let (transfer, isPaused) = state.withLock { state -> ((any HTTPTransfer)?, Bool) in
            body(&state)
            if state.unseenBytes >= Self.highWater { state.isWindowFull = true }
            if state.unseenBytes < Self.lowWater { state.isWindowFull = false }
            let isPaused = state.isWindowFull || state.isPausedByPlugin
            guard !state.isOver, isPaused != state.isPaused else { return (nil, false) }
            state.isPaused = isPaused
            return (state.transfer, isPaused)
        }
        if isPaused { transfer?.pause() } else { transfer?.resume() }
    }
}
