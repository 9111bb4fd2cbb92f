internal import PluginABI
internal import Synchronization

/// One HTTP transfer on the plugin's side: the head once, then a bounded buffer between the host's events and the
/// one task that reads.
///
/// The host counts bytes as seen as soon as `on_event` returns, so the buffer holds the peer back itself: above
/// `highWater` it pauses the transfer, below `lowWater` it lets it go on. It says so while it holds its own lock: two
/// decisions told in the wrong order would leave the transfer paused for ever, and the host's functions never call
/// back.
final class Transfer: Sendable {
    static let maximumPieceBytes = 65_536
    private static let highWater = 65_536
    private static let lowWater = 32_768

    struct Head: Sendable {
        var status = 0
        var version = ""
        var headers: [(String, String)] = []
    }

    private struct State {
        var handle: aib_id = 0
        /// What has arrived and was not read; `read` counts the pieces at its front that were.
        var pieces: [[UInt8]] = []
        var read = 0
        var bufferedBytes = 0
        var isPaused = false
        /// Set as soon as nothing more can arrive.
        var ending: Result<Void, PluginError>?
        /// Set when nobody on this side wants to know more.
        var isAbandoned = false
        /// Resolved when a piece or the end arrives, for the reader that found neither.
        var arrival: Slot<Void>?
    }

    let head = Slot<Head>()
    private let writable = Gate()
    private let host: HostTable
    private let state = Mutex(State())

    init(host: HostTable) { self.host = host }

    /// Sets the handle that `start` gave. An abandonment that came before it takes effect now.
    func started(as handle: aib_id) {
        let isAbandoned = state.withLock { state in
            state.handle = handle
            return state.isAbandoned
        }
        if isAbandoned { host.abort(handle) }
    }

    /// Whether the answer's head has arrived.
    var hasHead: Bool { head.isFulfilled }

    /// Takes the next piece of the body; nil at its end.
    func next() async throws -> [UInt8]? {
        while true {
            if Task.isCancelled { throw PluginError.cancelled }
            let step: Step = state.withLock { state in
                if state.read < state.pieces.count {
                    let piece = state.pieces[state.read]
                    state.read += 1
                    if state.read == state.pieces.count {
                        state.pieces.removeAll(keepingCapacity: true)
                        state.read = 0
                    }
                    state.bufferedBytes -= piece.count
                    if state.isPaused, state.bufferedBytes < Self.lowWater, state.ending == nil {
                        state.isPaused = false
                        host.pause(state.handle, false)
                    }
                    return .piece(piece)
                }
                if let ending = state.ending { return .end(ending) }
                let arrival = state.arrival ?? Slot()
                state.arrival = arrival
                return .wait(arrival)
            }
            switch step {
            case .piece(let piece): return piece
            case .end(let ending):
                try ending.get()
                return nil
            case .wait(let arrival): try await arrival.wait()
            }
        }
    }

    private enum Step {
        case piece([UInt8])
        case end(Result<Void, PluginError>)
        case wait(Slot<Void>)
    }

    func write(_ piece: [UInt8]) async throws {
        while true {
            if Task.isCancelled { throw PluginError.cancelled }
            let turn = writable.turn
            let status = host.write(state.withLock { $0.handle }, piece)
            switch Int(status) {
            case AIB_OK: return
            case AIB_E_AGAIN: try await turn.wait()
            case AIB_E_STALE:
                // The transfer is over, and the event that says why is under way.
                _ = try await head.wait()
                throw PluginError(.upstream, "the transfer ended before its body was sent", isRetryable: true)
            default: throw PluginError(status: status, "a piece of a request's body")
            }
        }
    }

    func finish() { host.finish(state.withLock { $0.handle }) }

    /// Ends the transfer from this side; does nothing once it has ended.
    func abandon() {
        let handle = end(.failure(.cancelled))
        state.withLock { state in
            state.isAbandoned = true
            (state.pieces, state.read, state.bufferedBytes) = ([], 0, 0)
        }
        if let handle, handle != 0 { host.abort(handle) }
    }

    /// Returns the handle where the transfer was still open. What has arrived stays to be read: a failure does not undo
    /// the usage that a provider stated before it.
    private func end(_ ending: Result<Void, PluginError>) -> aib_id? {
        let (handle, arrival): (aib_id?, Slot<Void>?) = state.withLock { state in
            guard state.ending == nil else { return (nil, nil) }
            state.ending = ending
            defer { state.arrival = nil }
            return (state.handle, state.arrival)
        }
        guard handle != nil else { return nil }
        if case .failure(let error) = ending { head.resolve(.failure(error)) }
        head.resolve(.failure(PluginError(.upstream, "the transfer ended without an answer")))
        writable.close()
        arrival?.resolve(.success(()))
        return handle
    }

    // MARK: Events, on the host's thread

    func receive(_ event: aib_event) {
        switch unsafe Int(event.kind) {
        case AIB_EV_HTTP_HEAD: head.resolve(Self.head(unsafe event.data.bytes))
        case AIB_EV_HTTP_DATA: unsafe append(event.data.bytes, handle: event.handle)
        case AIB_EV_HTTP_END: _ = end(.success(()))
        case AIB_EV_WRITABLE: writable.open()
        case AIB_EV_FAIL:
            _ = end(.failure(unsafe PluginError(event: event.data.bytes)))
        default: break
        }
    }

    private func append(_ piece: [UInt8], handle: aib_id) {
        guard !piece.isEmpty else { return }
        let arrival: Slot<Void>? = state.withLock { state in
            guard state.ending == nil else { return nil }
            state.pieces.append(piece)
            state.bufferedBytes += piece.count
            if !state.isPaused, state.bufferedBytes > Self.highWater {
                state.isPaused = true
                host.pause(handle, true)
            }
            defer { state.arrival = nil }
            return state.arrival
        }
        arrival?.resolve(.success(()))
    }

    private static func head(_ data: [UInt8]) -> Result<Head, PluginError> {
        guard let json = try? JSON.parse(data, JSON.Reading(repairsStrings: true)),
            let status = json["status"]?.integerValue
        else { return .failure(PluginError(.internal, "the host sent a head that is not what the ABI says")) }
        let headers = json["headers"]?.arrayValue ?? []
        return .success(
            Head(
                status: Int(status), version: json["version"]?.stringValue ?? "",
                headers: headers.compactMap { pair in
                    guard let pair = pair.arrayValue, pair.count == 2, let name = pair[0].stringValue,
                        let value = pair[1].stringValue
                    else { return nil }
                    return (name, value)
                }))
    }
}
