import Glibc
import PluginKit
import Synchronization

/// A host that offers HTTP and timers, and answers by hand: the plugin is loaded and reached through the boundary, as
/// the real host reaches it.
///
/// Unchecked: what it points to is made in the initializer and never changed; it outlives the test on purpose.
@safe final class FakeHost: @unchecked Sendable {
    struct Sent: Sendable {
        let method: String
        let url: String
        let headers: [String: String]
        let body: String
        let blob: String
        let fillsSecrets: Bool
        let timeout: UInt32
        let user: UInt64
        let handle: UInt64
    }

    struct Answer: Sendable {
        var status: Int64 = 200
        var headers: [[JSON]] = []
        var body = ""
        /// The connection breaks instead.
        var isBroken = false
    }

    struct Outcome: Sendable {
        let status: Int
        let result: JSON
        /// The log lines that were emitted, each as `stream: message`.
        let logs: [String]
        /// The pauses that the plugin made, in milliseconds.
        let pauses: [UInt64]

        var message: String { result["message"]?.stringValue ?? "" }
    }

    private enum Event: Sendable {
        case request(Sent)
        case timer(user: UInt64, milliseconds: UInt64)
        case completed(aib_status, JSON)
    }

    private let events: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation
    private let emitted = Mutex<[String]>([])
    private let lastHandle = Atomic<UInt64>(0)
    private let provider: UnsafePointer<aib_provider>
    private let http = UnsafeMutablePointer<aib_svc_http>.allocate(capacity: 1)
    private let timer = UnsafeMutablePointer<aib_svc_timer>.allocate(capacity: 1)
    private let table = UnsafeMutablePointer<aib_host>.allocate(capacity: 1)
    private var instance: UnsafeMutableRawPointer?

    /// Loads the plugin with this configuration; nil where it does not take it.
    init?(configuration: JSON) {
        (events, continuation) = AsyncStream.makeStream()
        unsafe provider = Self.loadedProvider()
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
                    let line = unsafe (try? JSON.parse(chunk.text)) ?? .null
                    guard kind == 3, let stream = line["stream"]?.stringValue, let text = line["message"]?.stringValue
                    else { return aib_status(AIB_E_UNSUPPORTED) }
                    unsafe FakeHost.at(context).emitted.withLock { $0.append("\(stream): \(text)") }
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

    /// Carries out one call: each request gets the answer that the closure gives, each timer fires at once. The call is
    /// cancelled at the request for which the closure gives none. To be used once.
    func run(
        _ operation: String, input: JSON, key: String, answer: (Sent) -> Answer?
    ) async -> Outcome {
        let accepted = unsafe Self.lend([operation, input.text, key, "call-7"]) { spans in
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
        var pauses: [UInt64] = []
        defer {
            unsafe provider.pointee.destroy(instance)
            continuation.finish()
        }
        guard accepted == AIB_OK else { return Outcome(status: Int(accepted), result: .null, logs: [], pauses: []) }
        for await event in events {
            switch event {
            case .request(let sent):
                if let answer = answer(sent) {
                    push(answer, to: sent)
                } else {
                    unsafe provider.pointee.cancel(instance, 7)
                }
            case .timer(let user, let milliseconds):
                pauses.append(milliseconds)
                push(AIB_EV_TIMER, user: user, handle: 0, "")
            case .completed(let status, let result):
                return Outcome(status: Int(status), result: result, logs: emitted.withLock(\.self), pauses: pauses)
            }
        }
        return Outcome(status: Int(AIB_E_INTERNAL), result: .null, logs: [], pauses: pauses)
    }

    private func push(_ answer: Answer, to sent: Sent) {
        if answer.isBroken {
            let error: JSON = ["code": "upstream", "message": "connection reset", "retryable": true]
            return push(AIB_EV_FAIL, user: sent.user, handle: sent.handle, error.text)
        }
        let head: JSON = [
            "status": .integer(answer.status), "version": "2", "headers": .array(answer.headers.map { .array($0) }),
        ]
        push(AIB_EV_HTTP_HEAD, user: sent.user, handle: sent.handle, head.text)
        push(AIB_EV_HTTP_DATA, user: sent.user, handle: sent.handle, answer.body)
        push(AIB_EV_HTTP_END, user: sent.user, handle: sent.handle, "")
    }

    private func push(_ kind: Int, user: UInt64, handle: UInt64, _ data: String) {
        unsafe Self.lend(data) { data in
            var event = unsafe aib_event(
                struct_size: UInt32(MemoryLayout<aib_event>.size), kind: UInt32(kind), user: user, call: 7,
                handle: handle, data: data)
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
            unsafe host.continuation.yield(
                .request(
                    Sent(
                        method: request.method.text, url: request.url.text,
                        headers: Dictionary(uniqueKeysWithValues: headers), body: request.body.text,
                        blob: request.body_blob.text, fillsSecrets: request.flags & 2 != 0,
                        timeout: request.timeout_ms, user: user, handle: handle)))
            return aib_status(AIB_OK)
        }
        unsafe table.pause = { _, _, _ in aib_status(AIB_OK) }
        unsafe table.write = { _, _, _ in aib_status(AIB_E_STALE) }
        unsafe table.finish = { _, _ in aib_status(AIB_E_STALE) }
        unsafe table.abort = { _, _ in aib_status(AIB_OK) }
        return table
    }

    private static var timerTable: aib_svc_timer {
        var table = aib_svc_timer()
        table.struct_size = UInt32(MemoryLayout<aib_svc_timer>.size)
        unsafe table.start = { context, _, milliseconds, user, out in
            unsafe out?.pointee = 1
            unsafe FakeHost.at(context).continuation.yield(.timer(user: user, milliseconds: milliseconds))
            return aib_status(AIB_OK)
        }
        unsafe table.cancel = { _, _ in aib_status(AIB_OK) }
        return table
    }

    /// The plugin that the package builds beside the tests. It is loaded and not linked: a program can have one entry
    /// symbol, and one plugin in its copy of PluginKit.
    @unsafe private static func loadedProvider() -> UnsafePointer<aib_provider> {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(decoding: buffer[..<max(count, 0)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let path = own[..<(own.lastIndex(of: "/") ?? own.startIndex)] + "/libRailway.so"
        guard let library = unsafe dlopen(String(path), RTLD_NOW | RTLD_LOCAL),
            let symbol = unsafe dlsym(library, "aib_plugin_entry")
        else { preconditionFailure("\(path) does not load") }
        typealias Entry = @convention(c) (UInt32, UInt32) -> UnsafePointer<aib_entry>?
        let entry = unsafe unsafeBitCast(symbol, to: Entry.self)
        guard let table = unsafe entry(AIB_ABI_MAJOR, AIB_ABI_MINOR),
            let interface = unsafe table.pointee.get_interface(AIB_IF_PROVIDER)
        else { preconditionFailure("\(path) has no entry that fits this ABI") }
        return unsafe interface.assumingMemoryBound(to: aib_provider.self)
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
    fileprivate var text: String {
        unsafe String(decoding: UnsafeBufferPointer(start: ptr, count: Int(len)), as: UTF8.self)
    }
}
