internal import PluginABI
internal import Synchronization

/// A call that the host has started and this kit has not completed: its task, and who waits for which event.
final class ActiveCall: Sendable {
    /// The longest chunk the host takes at once.
    static let maximumChunkBytes = 65_536

    enum Chunk {
        case text, usage, log

        /// As the ABI numbers it.
        fileprivate var number: UInt32 {
            let number =
                switch self {
                case .text: AIB_CHUNK_TEXT
                case .usage: AIB_CHUNK_USAGE
                case .log: AIB_CHUNK_LOG
                }
            return UInt32(number)
        }
    }

    private struct State {
        var task: Task<Void, Never>?
        var replies: [UInt64: Slot<[UInt8]>] = [:]
        var transfers: [UInt64: Transfer] = [:]
        var nextUser: UInt64 = 1
        var isOver = false

        mutating func takeUser() -> UInt64 {
            defer { nextUser += 1 }
            return nextUser
        }
    }

    let id: aib_id
    let host: HostTable
    private let output = Gate()
    private let state = Mutex(State())

    init(id: aib_id, host: HostTable) {
        self.id = id
        self.host = host
    }

    func run(as task: Task<Void, Never>) { state.withLock { $0.task = task } }
    func cancel() { state.withLock { $0.task }?.cancel() }

    /// Ends every wait and aborts every transfer: the author's function has returned.
    func end() {
        let (replies, transfers) = state.withLock { state in
            defer {
                state.isOver = true
                state.replies = [:]
                state.transfers = [:]
            }
            return (state.replies, state.transfers)
        }
        output.close()
        for reply in replies.values { reply.resolve(.failure(.cancelled)) }
        for transfer in transfers.values { transfer.abandon() }
    }

    func emit(_ kind: Chunk, _ bytes: [UInt8]) async throws {
        // A cancelled call may still say what it has consumed; only its waiting ends.
        while true {
            let turn = output.turn
            let status = host.emit(call: id, kind: kind.number, bytes)
            switch Int(status) {
            case AIB_OK: return
            case AIB_E_AGAIN: try await turn.wait()
            default: throw PluginError(status: status, "a chunk of output")
            }
        }
    }

    /// Asks a service for one answer and waits for it.
    ///
    /// - Parameters:
    ///   - begin: makes the request under the given `user`.
    ///   - onCancel: takes the request back, where that is possible.
    func reply(
        to what: String, _ begin: (UInt64) -> aib_status, onCancel: () -> Void = {}
    ) async throws -> [UInt8] {
        let slot = Slot<[UInt8]>()
        let user: UInt64? = state.withLock { state in
            guard !state.isOver else { return nil }
            let user = state.takeUser()
            state.replies[user] = slot
            return user
        }
        guard let user else { throw PluginError.cancelled }
        defer { state.withLock { _ = $0.replies.removeValue(forKey: user) } }
        let status = begin(user)
        guard status == AIB_OK else { throw PluginError(status: status, what) }
        do {
            return try await slot.wait()
        } catch {
            onCancel()
            throw error
        }
    }

    /// Registers a transfer under a fresh `user`; nil once the call is over.
    func add(_ transfer: Transfer) -> UInt64? {
        state.withLock { state in
            guard !state.isOver else { return nil }
            let user = state.takeUser()
            state.transfers[user] = transfer
            return user
        }
    }

    func remove(transfer user: UInt64) { state.withLock { _ = $0.transfers.removeValue(forKey: user) } }

    /// Hands an event of this call to whoever waits for it.
    func receive(_ event: aib_event) {
        let user = unsafe event.user
        switch unsafe Int(event.kind) {
        case AIB_EV_HTTP_HEAD, AIB_EV_HTTP_DATA, AIB_EV_HTTP_END:
            unsafe state.withLock { $0.transfers[user] }?.receive(event)
        case AIB_EV_WRITABLE where unsafe event.handle == 0: output.open()
        case AIB_EV_WRITABLE: unsafe state.withLock { $0.transfers[user] }?.receive(event)
        case AIB_EV_TIMER, AIB_EV_HMAC, AIB_EV_BLOB:
            let bytes = unsafe event.data.bytes
            state.withLock { $0.replies[user] }?.resolve(.success(bytes))
        case AIB_EV_FAIL:
            let (reply, transfer) = state.withLock { ($0.replies[user], $0.transfers[user]) }
            unsafe transfer?.receive(event)
            if let reply { reply.resolve(.failure(unsafe PluginError(event: event.data.bytes))) }
        // An event of a later revision of the ABI, which nothing here has asked for.
        default: break
        }
    }
}
