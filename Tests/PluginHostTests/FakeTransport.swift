import Domain
import Synchronization
import Threads

@testable import PluginHost

/// A transport whose peer is this process: `/echo` answers with the body it was sent, `/download` with a megabyte,
/// `/endless` never stops, `/refuse` answers 413 at once, `/fail` fails. Everything happens on one thread, as with
/// a real transport.
final class FakeTransport: HTTPTransport {
    private let made = Mutex<[FakeTransfer]>([])
    private let thread: SerialThread

    init() {
        do throws(OwnedThread.Unavailable) {
            thread = try SerialThread(name: "fake-transport")
        } catch {
            fatalError("\(error)")
        }
    }

    deinit { thread.stop() }

    var transfers: [FakeTransfer] { made.withLock { $0 } }

    func prepare(
        _ request: OutboundRequest, onEvent: @escaping @Sendable (HTTPEvent) -> Void
    ) -> any HTTPTransfer {
        let transfer = FakeTransfer(request, thread: thread, onEvent)
        made.withLock { $0.append(transfer) }
        return transfer
    }
}

final class FakeTransfer: HTTPTransfer {
    static let window = 100_000
    static let piece = 16_384

    private struct State {
        var body: [UInt8] = []
        var unsent = 0
        var mustSayWritable = false
        var answer: [UInt8] = []
        var isEndless = false
        var hasAnswered = false
        var isPaused = false
        var isOver = false
        var delivered = 0
        var pauses = 0
        var refusedWrites = 0
    }

    let request: OutboundRequest
    /// Resumed when the host cancels the transfer.
    let cancelled: AsyncStream<Void>
    private let cancellation: AsyncStream<Void>.Continuation
    private let thread: SerialThread
    private let onEvent: @Sendable (HTTPEvent) -> Void
    private let state = Mutex(State())

    init(_ request: OutboundRequest, thread: SerialThread, _ onEvent: @escaping @Sendable (HTTPEvent) -> Void) {
        self.request = request
        self.thread = thread
        self.onEvent = onEvent
        (cancelled, cancellation) = AsyncStream.makeStream()
    }

    var pauses: Int { state.withLock { $0.pauses } }
    var refusedWrites: Int { state.withLock { $0.refusedWrites } }
    var delivered: Int { state.withLock { $0.delivered } }
    var isPaused: Bool { state.withLock { $0.isPaused } }
    var isOver: Bool { state.withLock { $0.isOver } }

    func begin() { thread.post { self.respond() } }

    private func respond() {
        let path = request.url.split(separator: "/").last ?? ""
        switch (path, request.body) {
        case ("fail", _): fail()
        case ("refuse", _): answer([], status: 413)
        case ("download", _): answer([UInt8](repeating: 7, count: 1 << 20))
        case ("endless", _): answer([], isEndless: true)
        case (_, .bytes(let body)): answer(body)
        case (_, .none): answer([])
        case (_, .stream): break
        }
    }

    private func fail() {
        state.withLock { $0.isOver = true }
        onEvent(.failed(ProviderError(.upstream, "the connection was cut", isRetryable: true)))
    }

    private func answer(_ body: [UInt8], status: Int = 200, isEndless: Bool = false) {
        state.withLock { state in
            state.answer = body
            state.isEndless = isEndless
            state.hasAnswered = true
        }
        onEvent(.head(status: status, headers: [.init("Content-Type", "text/plain")], version: "1.1"))
        send()
    }

    /// Sends one piece of the answer, and comes back for the next.
    private func send() {
        let event: HTTPEvent? = state.withLock { state in
            guard !state.isPaused, !state.isOver else { return nil }
            if state.answer.isEmpty, !state.isEndless {
                state.isOver = true
                return .end
            }
            var piece = [UInt8](repeating: 1, count: Self.piece)
            if !state.isEndless {
                // A long answer begins with more than the host queues: it has to hold the peer back, however quick the
                // reader is.
                piece = Array(state.answer.prefix(state.answer.count == 1 << 20 ? 1 << 19 : Self.piece))
                state.answer.removeFirst(piece.count)
            }
            state.delivered += piece.count
            return .data(piece)
        }
        guard let event else { return }
        onEvent(event)
        if case .data = event { thread.post { self.send() } }
    }

    // MARK: HTTPTransfer

    func pause() {
        state.withLock { state in
            state.isPaused = true
            state.pauses += 1
        }
    }

    func resume() {
        let mustSend = state.withLock { state in
            defer { state.isPaused = false }
            return state.isPaused && state.hasAnswered
        }
        if mustSend { thread.post { self.send() } }
    }

    func write(_ bytes: [UInt8]) -> Bool {
        let (isTaken, isRead) = state.withLock { state in
            guard state.unsent == 0 || state.unsent + bytes.count <= Self.window else {
                state.mustSayWritable = true
                state.refusedWrites += 1
                return (false, true)
            }
            state.unsent += bytes.count
            state.body += bytes
            return (true, state.refusedWrites > 0)
        }
        // The peer reads when the thread gets to it, and not before it has held the writer back once: a body of more
        // than the window is refused in part, however slow its writer is.
        if isRead { thread.post { self.drain() } }
        return isTaken
    }

    private func drain() {
        let isWritable = state.withLock { state in
            state.unsent = 0
            defer { state.mustSayWritable = false }
            return state.mustSayWritable && !state.isOver
        }
        if isWritable { onEvent(.writable) }
    }

    func finishBody() { thread.post { self.answer(self.state.withLock { $0.body }) } }

    func cancel() {
        state.withLock { $0.isOver = true }
        cancellation.yield()
        cancellation.finish()
    }
}
