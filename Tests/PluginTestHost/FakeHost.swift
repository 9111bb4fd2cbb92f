public import PluginKit
import Synchronization

/// A host that offers HTTP alone and answers by hand: the plugin is reached through the boundary, as the real host
/// reaches it.
///
/// Unchecked: what it points to is made in the initializer and never changed; it outlives the test on purpose.
@safe public final class FakeHost: @unchecked Sendable {
    /// A request that the plugin asked for.
    public struct Sent: Sendable {
        public let method: String
        public let url: String
        public let headers: [String: String]
        /// `.null` where it is no JSON.
        public let body: JSON
        let user: UInt64
        let handle: UInt64
    }

    public enum Event: Sendable {
        case request(Sent)
        /// A chunk found the window full.
        case refusedChunk
        case completed(aib_status, JSON)
    }

    /// What the plugin does, in order; ends with `destroy()`.
    public let events: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation
    private let emitted = Mutex<[String]>([])
    private let openings = Mutex<Int?>(nil)
    private let abortedHandles = Mutex<[UInt64]>([])
    private let lastHandle = Atomic<UInt64>(0)
    private let provider: UnsafePointer<aib_provider>
    private let http = UnsafeMutablePointer<aib_svc_http>.allocate(capacity: 1)
    private let table = UnsafeMutablePointer<aib_host>.allocate(capacity: 1)
    private var instance: UnsafeMutableRawPointer?

    /// What was emitted.
    public var chunks: [String] { emitted.withLock(\.self) }
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
        unsafe table.initialize(
            to: aib_host(
                struct_size: UInt32(MemoryLayout<aib_host>.size), abi_minor: UInt32(AIB_ABI_MINOR),
                ctx: Unmanaged.passRetained(self).toOpaque(),
                get_service: { context, id in
                    guard let id = unsafe id, unsafe String(cString: id) == AIB_SVC_HTTP else { return nil }
                    return unsafe UnsafeRawPointer(FakeHost.at(context).http)
                },
                emit: { context, _, _, chunk in
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
                    host.emitted.withLock { unsafe $0.append(chunk.text) }
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
    public func start(_ operation: String, input: JSON) -> aib_status {
        unsafe Self.lend(operation, input.text, "call-7") { operation, input, trace in
            var call = unsafe aib_call()
            unsafe call.struct_size = UInt32(MemoryLayout<aib_call>.size)
            unsafe call.attempt = 1
            unsafe call.call = 7
            unsafe call.operation = operation
            unsafe call.input = input
            unsafe call.trace = trace
            return unsafe provider.pointee.start(instance, &call)
        }
    }

    /// Answers a request with this head and body, then ends it.
    public func answer(_ sent: Sent, status: Int64, headers: [[JSON]], body: String) {
        head(sent, status: status, headers: headers)
        data(sent, body)
        push(AIB_EV_HTTP_END, sent, "")
    }

    /// Begins an answer: each header is its name and its value.
    public func head(_ sent: Sent, status: Int64 = 200, headers: [[JSON]]) {
        let head: JSON = [
            "status": .integer(status), "version": "1.1", "headers": .array(headers.map { .array($0) }),
        ]
        push(AIB_EV_HTTP_HEAD, sent, head.text)
    }

    /// A piece of an answer's body.
    public func data(_ sent: Sent, _ piece: String) { push(AIB_EV_HTTP_DATA, sent, piece) }

    /// Ends a transfer as a connection that broke.
    public func fail(_ sent: Sent, _ message: String) {
        let error: JSON = ["code": "upstream", "message": .string(message), "retryable": true]
        push(AIB_EV_FAIL, sent, error.text)
    }

    /// Says that the output window has room again.
    public func writable() {
        push(AIB_EV_WRITABLE, Sent(method: "", url: "", headers: [:], body: .null, user: 0, handle: 0), "")
    }

    /// Cancels the call.
    public func cancel() { unsafe provider.pointee.cancel(instance, 7) }

    /// Takes the instance down, after its call has completed.
    public func destroy() {
        unsafe provider.pointee.destroy(instance)
        continuation.finish()
    }

    private func push(_ kind: Int, _ sent: Sent, _ data: String) {
        unsafe Self.lend(data) { data in
            var event = unsafe aib_event(
                struct_size: UInt32(MemoryLayout<aib_event>.size), kind: UInt32(kind), user: sent.user, call: 7,
                handle: sent.handle, data: data)
            unsafe provider.pointee.on_event(instance, &event)
        }
    }

    private static func at(_ context: UnsafeMutableRawPointer?) -> FakeHost {
        guard let context = unsafe context else { preconditionFailure("the plugin lost its host") }
        return unsafe Unmanaged<FakeHost>.fromOpaque(context).takeUnretainedValue()
    }

    private static var httpTable: aib_svc_http {
        var table = aib_svc_http()
        table.struct_size = UInt32(MemoryLayout<aib_svc_http>.size)
        unsafe table.start = { context, _, request, user, out in
            let host = unsafe FakeHost.at(context)
            guard let request = unsafe request?.pointee else { return aib_status(AIB_E_INVALID) }
            let handle = host.lastHandle.add(1, ordering: .relaxed).newValue
            unsafe out?.pointee = handle
            let fields = unsafe UnsafeBufferPointer(start: request.headers, count: Int(request.n_headers))
            let headers = unsafe fields.map { unsafe ($0.name.text, $0.value.text) }
            let body = unsafe (try? JSON.parse(request.body.text)) ?? .null
            unsafe host.continuation.yield(
                .request(
                    Sent(
                        method: request.method.text, url: request.url.text,
                        headers: Dictionary(uniqueKeysWithValues: headers), body: body, user: user, handle: handle)))
            return aib_status(AIB_OK)
        }
        unsafe table.pause = { _, _, _ in aib_status(AIB_OK) }
        unsafe table.write = { _, _, _ in aib_status(AIB_E_STALE) }
        unsafe table.finish = { _, _ in aib_status(AIB_E_STALE) }
        unsafe table.abort = { context, handle in
            unsafe FakeHost.at(context).abortedHandles.withLock { $0.append(handle) }
            return aib_status(AIB_OK)
        }
        return table
    }

    private static func lend<Result>(_ text: String, _ body: (aib_span) -> Result) -> Result {
        unsafe Array(text.utf8).withUnsafeBufferPointer { bytes in
            unsafe body(aib_span(ptr: bytes.baseAddress, len: UInt64(bytes.count)))
        }
    }

    private static func lend<Result>(
        _ first: String, _ second: String, _ third: String, _ body: (aib_span, aib_span, aib_span) -> Result
    ) -> Result {
        unsafe lend(first) { first in
            unsafe lend(second) { second in unsafe lend(third) { third in unsafe body(first, second, third) } }
        }
    }
}

extension aib_span {
    fileprivate var text: String {
        unsafe String(decoding: UnsafeBufferPointer(start: ptr, count: Int(len)), as: UTF8.self)
    }
}
