internal import PluginABI
internal import Synchronization

/// The host's function tables as `create` handed them over.
///
/// Unchecked: the pointers lead to the host's tables, which are immutable, callable from any thread, and valid until
/// `destroy` returns; `isOpen` is cleared there, so nothing that outlives the instance follows them.
@safe struct HostTable: @unchecked Sendable {
    let context: UnsafeMutableRawPointer?
    let table: UnsafePointer<aib_host>
    let logger: UnsafePointer<aib_svc_log>?
    let http: UnsafePointer<aib_svc_http>?
    let timer: UnsafePointer<aib_svc_timer>?
    let hmac: UnsafePointer<aib_svc_hmac>?
    let blob: UnsafePointer<aib_svc_blob>?
    private let life = Life()

    private final class Life: Sendable {
        let isOpen = Atomic(true)
    }

    /// nil where the host's table is smaller than the one this kit was built against.
    init?(_ host: UnsafePointer<aib_host>) {
        guard unsafe host.pointee.struct_size >= MemoryLayout<aib_host>.size else { return nil }
        unsafe table = host
        unsafe context = host.pointee.ctx
        /// A service's table begins with its size; one that is shorter than ours is as good as none.
        func service<Table>(_ id: String) -> UnsafePointer<Table>? {
            guard let pointer = unsafe host.pointee.get_service(host.pointee.ctx, id),
                unsafe pointer.load(as: UInt32.self) >= MemoryLayout<Table>.size
            else { return nil }
            return unsafe pointer.assumingMemoryBound(to: Table.self)
        }
        unsafe logger = service(AIB_SVC_LOG)
        unsafe http = service(AIB_SVC_HTTP)
        unsafe timer = service(AIB_SVC_TIMER)
        unsafe hmac = service(AIB_SVC_HMAC)
        unsafe blob = service(AIB_SVC_BLOB)
    }

    var isOpen: Bool { life.isOpen.load(ordering: .acquiring) }
    func close() { life.isOpen.store(false, ordering: .releasing) }

    func service<Table>(
        _ pointer: UnsafePointer<Table>?, _ name: String
    ) throws(PluginError) -> UnsafePointer<Table> {
        guard isOpen else { throw .cancelled }
        guard let pointer = unsafe pointer else {
            throw PluginError(.unsupported, "\(name) is not granted: the manifest's \"services\" must name it")
        }
        return unsafe pointer
    }

    func emit(call: aib_id, kind: UInt32, _ bytes: [UInt8]) -> aib_status {
        guard isOpen else { return aib_status(AIB_E_STALE) }
        return unsafe withSpans(bytes, []) { chunk, _ in unsafe table.pointee.emit(context, call, kind, chunk) }
    }

    func complete(call: aib_id, _ outcome: Result<JSON, PluginError>) {
        let (status, json): (aib_status, JSON) =
            switch outcome {
            case .success(let result): (aib_status(AIB_OK), result)
            case .failure(let error): (error.abiStatus, error.json)
            }
        _ = unsafe withSpans(json.bytes, []) { bytes, _ in
            unsafe table.pointee.complete(context, call, status, bytes)
        }
    }

    func log(call: aib_id, _ level: LogLevel, _ message: String, _ fields: [String: String]) {
        guard isOpen, let logger = unsafe logger, unsafe logger.pointee.enabled(context, level.rawValue) != 0 else {
            return
        }
        var object = JSONObject()
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) { object[name] = .string(value) }
        unsafe withSpans(Array(message.utf8), object.isEmpty ? [] : JSON.object(object).bytes) { message, fields in
            unsafe logger.pointee.log(context, call, level.rawValue, message, fields)
        }
    }
}

/// Lends two byte arrays to the host for the length of one call.
func withSpans<Result>(
    _ first: [UInt8], _ second: [UInt8], _ body: (aib_span, aib_span) throws -> Result
) rethrows -> Result {
    try unsafe first.withUnsafeBufferPointer { first in
        try unsafe second.withUnsafeBufferPointer { second in
            try unsafe body(
                aib_span(ptr: first.baseAddress, len: UInt64(first.count)),
                aib_span(ptr: second.baseAddress, len: UInt64(second.count)))
        }
    }
}

extension aib_span {
    /// A copy of the borrowed bytes.
    var bytes: [UInt8] { unsafe Array(UnsafeBufferPointer(start: ptr, count: Int(len))) }
    var string: String { unsafe String(decoding: UnsafeBufferPointer(start: ptr, count: Int(len)), as: UTF8.self) }
}
