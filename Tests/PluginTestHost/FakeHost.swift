public import PluginKit
import Synchronization

/// A host that offers HTTP and timers and answers by hand: the plugin is reached through the boundary, as the real
/// host reaches it.
///
/// Unchecked: what it points to is made in the initializer and never changed; it outlives the test on purpose.
@safe public final class FakeHost: @unchecked Sendable {
    /// A request that the plugin asked for.
    public struct Sent: Sendable {
        public let method: String
        public let url: String
        public let headers: [String: String]
        public let text: String
        /// The digest of a blob to send as the body.
        public let blob: String
        /// Whether the host is to fill secrets into the body.
        public let fillsSecrets: Bool
        public let timeoutMilliseconds: UInt32
        let user: UInt64
        let handle: UInt64

        /// `.null` where it is no JSON.
        public var body: JSON { (try? JSON.parse(text)) ?? .null }
    }

    /// A pause that the plugin asked for.
    public struct Timer: Sendable {
        public let milliseconds: UInt64
        let user: UInt64
        let handle: UInt64
    }

    struct Chunk: Sendable {
        let kind: UInt32
        let text: String
    }

    public enum Event: Sendable {
        case request(Sent)
        case timer(Timer)
        /// A chunk found the window full.
        case refusedChunk
        case completed(aib_status, JSON)
    }

    /// What the plugin does, in order; ends with `destroy()`.
    public let events: AsyncStream<Event>
    let continuation: AsyncStream<Event>.Continuation
    let abortedHandles = Mutex<[UInt64]>([])
    private let emittedChunks = Mutex<[Chunk]>([])
    private let openings = Mutex<Int?>(nil)
    private let lastHandle = Atomic<UInt64>(0)
    private let provider: UnsafePointer<aib_provider>
    private let http = UnsafeMutablePointer<aib_svc_http>.allocate(capacity: 1)
    private let timer = UnsafeMutablePointer<aib_svc_timer>.allocate(capacity: 1)
    private let table = UnsafeMutablePointer<aib_host>.allocate(capacity: 1)
    private var instance: UnsafeMutableRawPointer?

    /// What was emitted.
    public var chunks: [String] { emitted.map(\.text) }
    var emitted: [Chunk] { emittedChunks.withLock(\.self) }
    /// The transfers that the plugin has ended itself.
    public var aborted: [UInt64] { abortedHandles.withLock(\.self) }
    /// How many chunks the window takes before it is full; nil: any number.
    public var window: Int? {
        get { openings.withLock(\.self) }
        set { openings.withLock { $0 = newValue } }
    }

    /// Loads a plugin of this package and creates an instance.
    ///
    /// - Parameter library: the name of the plugin's product, `Claude` for example.
    /// - Returns: nil where the plugin does not take the configuration.
    /// - Precondition: the product is built and has an entry that fits this ABI.
    public init?(library: String, configuration: JSON) {
        (events, continuation) = AsyncStream.makeStream()
        unsafe provider = PluginLibrary.provider(of: library)
        unsafe http.initialize(to: Self.httpTable)
        unsafe timer.initialize(to: Self.timerTable)
        unsafe table.initialize(
            to: aib_host(
                struct_size: UInt32(MemoryLayout<aib_host>.size), abi_minor: UInt32(AIB_ABI_MINOR),
                ctx: Unmanaged.passRetained(self).toOpaque(),
                get_service: { context, id in
                    guard let id = unsafe id else { return nil }
                    switch unsafe String(cString: id) {
                    case AIB_SVC_HTTP: return unsafe UnsafeRawPointer(FakeHost.at(context).http)
                    case AIB_SVC_TIMER: return unsafe UnsafeRawPointer(FakeHost.at(context).timer)
                    default: return nil
                    }
                },
                emit: { context, _, kind, chunk in
                    let host = unsafe FakeHost.at(context)
                    let isTaken = host.openings.withLock { openings in
                        guard let open = openings else { return true }
                        if open > 0 { openings = open - 1 }
                        return open > 0
                    }
                    guard isTaken else {
                        host.continuation.yield(.refusedChunk)
                        return aib_status(AIB_E_AGAIN)
                    }
                    host.emittedChunks.withLock { unsafe $0.append(Chunk(kind: kind, text: chunk.text)) }
                    return aib_status(AIB_OK)
                },
                complete: { context, _, status, result in
                    let json = unsafe (try? JSON.parse(result.text)) ?? .null
                    unsafe FakeHost.at(context).continuation.yield(.completed(status, json))
                    return aib_status(AIB_OK)
                }))
        let status = unsafe Self.lend(configuration.text) { unsafe provider.pointee.create(table, $0, &instance) }
        guard status == AIB_OK else { return nil }
    }

    /// Starts the call, number 7; to be used once.
    ///
    /// - Parameter key: the idempotency key; without one the call changes nothing.
    public func start(_ operation: String, input: JSON, key: String = "") -> aib_status {
        unsafe Self.lend([operation, input.text, key, "call-7"]) { spans in
            var call = unsafe aib_call()
            unsafe call.struct_size = UInt32(MemoryLayout<aib_call>.size)
            unsafe call.attempt = 1
            unsafe call.call = 7
            unsafe call.operation = spans[0]
            unsafe call.input = spans[1]
            unsafe call.idempotency_key = spans[2]
            unsafe call.trace = spans[3]
            return unsafe provider.pointee.start(instance, &call)
        }
    }

    /// Answers a request with this head and body, then ends it.
    public func answer(_ sent: Sent, status: Int64, headers: [[JSON]], body: String) {
        head(sent, status: status, headers: headers)
        data(sent, body)
        push(AIB_EV_HTTP_END, user: sent.user, handle: sent.handle)
    }

    /// Begins an answer: each header is its name and its value.
    public func head(_ sent: Sent, status: Int64 = 200, headers: [[JSON]]) {
        let head: JSON = [
            "status": .integer(status), "version": "1.1", "headers": .array(headers.map { .array($0) }),
        ]
        push(AIB_EV_HTTP_HEAD, user: sent.user, handle: sent.handle, head.text)
    }

    /// A piece of an answer's body.
    public func data(_ sent: Sent, _ piece: String) {
        push(AIB_EV_HTTP_DATA, user: sent.user, handle: sent.handle, piece)
    }

    /// Ends a transfer as a connection that broke.
    public func fail(_ sent: Sent, _ message: String) {
        let error: JSON = ["code": "upstream", "message": .string(message), "retryable": true]
        push(AIB_EV_FAIL, user: sent.user, handle: sent.handle, error.text)
    }

    /// Ends a pause.
    public func fire(_ timer: Timer) { push(AIB_EV_TIMER, user: timer.user, handle: timer.handle) }

    /// Says that the output window has room again.
    public func writable() { push(AIB_EV_WRITABLE, user: 0, handle: 0) }

    /// Cancels the call.
    public func cancel() { unsafe provider.pointee.cancel(instance, 7) }

    /// Takes the instance down, after its call has completed.
    public func destroy() {
        unsafe provider.pointee.destroy(instance)
        continuation.finish()
    }

    private func push(_ kind: Int, user: UInt64, handle: UInt64, _ data: String = "") {
        unsafe Self.lend(data) { data in
            var event = unsafe aib_event(
                struct_size: UInt32(MemoryLayout<aib_event>.size), kind: UInt32(kind), user: user, call: 7,
                handle: handle, data: data)
            unsafe provider.pointee.on_event(instance, &event)
        }
    }

    /// The number of the next transfer or pause.
    func nextHandle() -> UInt64 { lastHandle.add(1, ordering: .relaxed).newValue }

    static func at(_ context: UnsafeMutableRawPointer?) -> FakeHost {
        guard let context = unsafe context else { preconditionFailure("the plugin lost its host") }
        return unsafe Unmanaged<FakeHost>.fromOpaque(context).takeUnretainedValue()
    }

    private static func lend<Result>(_ text: String, _ body: (aib_span) -> Result) -> Result {
        unsafe Array(text.utf8).withUnsafeBufferPointer { bytes in
            unsafe body(aib_span(ptr: bytes.baseAddress, len: UInt64(bytes.count)))
        }
    }

    private static func lend<Result>(_ texts: [String], _ body: ([aib_span]) -> Result) -> Result {
        guard let last = texts.last else { return unsafe body([]) }
        return unsafe lend(last) { span in
            unsafe lend(Array(texts.dropLast())) { spans in unsafe body(spans + [span]) }
        }
    }
}

extension aib_span {
    var text: String {
        unsafe String(decoding: UnsafeBufferPointer(start: ptr, count: Int(len)), as: UTF8.self)
    }
}
