import Domain
import Synchronization

/// The callers' face of one transfer: it notes what they want and lists itself in the mailbox. The client's thread
/// does the rest in an `Exchange`.
final class Transfer: HTTPTransfer {
    /// What the client's thread takes over to begin.
    struct Launch {
        let request: OutboundRequest
        /// Why it must not begin: there was no place for it.
        var refusal: ProviderError?
        let onEvent: @Sendable (HTTPEvent) -> Void
    }

    /// What the client's thread is to do.
    struct Orders {
        let launch: Launch?
        let isCancelled: Bool
        let isPaused: Bool
        /// Whether the body has more to read, or its end.
        let isReadable: Bool
        let violation: ProviderError?
    }

    private struct State {
        var launch: Launch?
        var window: UploadWindow?
        /// Listed, or not begun: nobody is to list it.
        var isPosted = true
        var isPaused = false
        var isCancelled = false
        var isOver = false
    }

    private let mailbox: Mailbox
    /// How many transfers may be in flight.
    private let limit: Int
    private let state: Mutex<State>

    init(
        request: OutboundRequest, limit: Int, onEvent: @escaping @Sendable (HTTPEvent) -> Void, mailbox: Mailbox
    ) {
        self.mailbox = mailbox
        self.limit = limit
        let window: UploadWindow? =
            switch request.body {
            case .none: nil
            case .bytes(let bytes): UploadWindow(bytes)
            case .stream(let length): UploadWindow(length: length)
            }
        state = Mutex(State(launch: Launch(request: request, onEvent: onEvent), window: window))
    }

    // MARK: Callers' side

    /// Hands the transfer to the client's thread.
    func begin() {
        let hasPlace = mailbox.reserve(limit: limit)
        let launch = state.withLock { state in
            if !hasPlace { state.launch?.refusal = .tooManyTransfers(limit) }
            return state.launch
        }
        if !mailbox.post(self), let launch, close() { launch.onEvent(.failed(.shutDown)) }
    }

    func pause() { setPaused(true) }
    func resume() { setPaused(false) }

    private func setPaused(_ isPaused: Bool) {
        order { state in
            state.isPaused = isPaused
            return true
        }
    }

    func write(_ bytes: [UInt8]) -> Bool {
        var isTaken = true
        order { state in
            isTaken = state.window?.append(bytes) ?? true
            // A thread that has something to send comes by itself.
            return state.window?.isStarved == true || state.window?.violation != nil
        }
        return isTaken
    }

    func finishBody() {
        order { state in
            state.window?.finish()
            return true
        }
    }

    func cancel() {
        order { state in
            state.isCancelled = true
            state.window = nil
            return true
        }
    }

    /// Applies a change and lists the transfer where that answers true.
    private func order(_ change: (inout State) -> Bool) {
        let mustPost = state.withLock { state in
            guard !state.isOver, !state.isCancelled, change(&state), !state.isPosted else { return false }
            state.isPosted = true
            return true
        }
        if mustPost { mailbox.post(self) }
    }

    // MARK: The client's thread

    func takeOrders() -> Orders {
        state.withLock { state in
            state.isPosted = false
            defer { state.launch = nil }
            return Orders(
                launch: state.launch, isCancelled: state.isCancelled, isPaused: state.isPaused,
                isReadable: state.window?.isReadable ?? true, violation: state.window?.violation)
        }
    }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }
    var isPaused: Bool { state.withLock { $0.isPaused } }

    /// Puts another body in place of one that is known as a whole and of which nothing was read.
    func replaceBody(_ bytes: [UInt8]) {
        state.withLock { state in
            if state.window != nil { state.window = UploadWindow(bytes) }
        }
    }

    func readBody(into buffer: UnsafeMutableRawBufferPointer) -> UploadWindow.Piece {
        state.withLock { state in unsafe state.window?.read(into: buffer) ?? .finished }
    }

    /// Gives up what is not sent yet, as if the body ended here. Nil where there is nothing to give up, else whether
    /// the writer waits for room.
    func abandonBody() -> Bool? {
        var isWriterWaiting: Bool?
        order { state in
            guard let window = state.window, !window.isDrained else { return false }
            isWriterWaiting = window.hasRefused
            state.window = nil
            return true
        }
        return isWriterWaiting
    }

    /// Marks the transfer as over; true where its last event is still to be delivered.
    func close() -> Bool {
        state.withLock { state in
            guard !state.isOver else { return false }
            state.isOver = true
            state.launch = nil
            state.window = nil
            return !state.isCancelled
        }
    }
}
