import Domain
import Glibc
import PluginABI

/// The functions the host offers, as C sees them: each finds its instance by the context and goes on in Swift.
extension PluginInstance {
    /// What one completion may carry.
    private static let maximumResultBytes = 64 << 20

    /// The instance behind a context that `makeHostTable` gave out.
    static func at(_ context: UnsafeMutableRawPointer?) -> PluginInstance? {
        guard let context = unsafe context else { return nil }
        return unsafe Unmanaged<PluginInstance>.fromOpaque(context).takeUnretainedValue()
    }

    /// Makes the table for `create`. It and the instance are never freed: a plugin that breaks the rules may call
    /// through it after it was destroyed, and is then answered that all is stale.
    func makeHostTable() -> UnsafePointer<aib_host> {
        let table = UnsafeMutablePointer<aib_host>.allocate(capacity: 1)
        unsafe table.initialize(
            to: aib_host(
                struct_size: UInt32(MemoryLayout<aib_host>.size), abi_minor: AIB_ABI_MINOR,
                ctx: Unmanaged.passRetained(self).toOpaque(),
                get_service: { context, id in
                    guard let id = unsafe id, let instance = unsafe PluginInstance.at(context) else { return nil }
                    return unsafe instance.serviceTable(String(cString: id))
                },
                emit: { context, call, kind, chunk in
                    aib_status(unsafe PluginInstance.at(context)?.emit(call, kind, chunk) ?? AIB_E_INVALID)
                },
                complete: { context, call, status, bytes in
                    aib_status(unsafe PluginInstance.at(context)?.complete(call, status, bytes) ?? AIB_E_INVALID)
                }))
        return unsafe UnsafePointer(table)
    }

    private func serviceTable(_ id: String) -> UnsafeRawPointer? {
        guard id == AIB_SVC_LOG || manifest.services.contains(id) else { return nil }
        switch id {
        case AIB_SVC_LOG: return unsafe UnsafeRawPointer(ServiceTables.log.pointer)
        case AIB_SVC_HTTP: return unsafe UnsafeRawPointer(ServiceTables.http.pointer)
        case AIB_SVC_TIMER: return unsafe UnsafeRawPointer(ServiceTables.timer.pointer)
        case AIB_SVC_HMAC: return unsafe UnsafeRawPointer(ServiceTables.hmac.pointer)
        case AIB_SVC_BLOB: return unsafe UnsafeRawPointer(ServiceTables.blob.pointer)
        default: return nil
        }
    }

    private func emit(_ id: aib_id, _ kind: UInt32, _ chunk: aib_span) -> Int {
        guard let call = call(id) else { return AIB_E_STALE }
        guard let bytes = unsafe chunk.copy(upTo: CallState.maximumChunkBytes) else {
            count(.oversizedChunk, call: call)
            return AIB_E_INVALID
        }
        switch Int(kind) {
        case AIB_CHUNK_TEXT: return call.emitText(bytes)
        case AIB_CHUNK_USAGE:
            guard let usage = (try? JSON.parse(bytes)).flatMap(TokenUsage.init) else {
                count(.invalidUsage, call: call)
                return AIB_E_INVALID
            }
            return call.emitUsage(usage)
        case AIB_CHUNK_LOG:
            // The message is a provider's: bytes in it that are no text are no fault of the plugin's.
            let json = try? JSON.parse(bytes, JSON.Reading(repairsStrings: true))
            guard let stream = json?["stream"]?.stringValue.flatMap(LogStream.init),
                let message = json?["message"]?.stringValue
            else {
                count(.invalidLog, call: call)
                return AIB_E_INVALID
            }
            return call.emitLog(stream, message, bytes: bytes.count)
        default:
            count(.unknownChunk, call: call)
            return AIB_E_UNSUPPORTED
        }
    }

    private func complete(_ id: aib_id, _ status: aib_status, _ span: aib_span) -> Int {
        guard let call = call(id) else {
            count(wasIssued(id) ? .staleCompletion : .unknownCompletion)
            return AIB_E_STALE
        }
        guard let bytes = unsafe span.copy(upTo: Self.maximumResultBytes) else {
            count(.invalidResult, call: call)
            let error: JSON = [
                "message": .string("the plugin's result is NULL or longer than \(Self.maximumResultBytes) bytes")
            ]
            return call.complete(aib_status(AIB_E_INTERNAL), error.bytes)
        }
        return call.complete(status, bytes)
    }
}

/// The service tables; the same for all plugins, for each function is given its instance's context.
enum ServiceTables {
    /// Unchecked: written once, never freed.
    @safe struct Table<Functions>: @unchecked Sendable {
        let pointer: UnsafePointer<Functions>

        init(_ functions: Functions) {
            let pointer = UnsafeMutablePointer<Functions>.allocate(capacity: 1)
            unsafe pointer.initialize(to: functions)
            unsafe self.pointer = unsafe UnsafePointer(pointer)
        }
    }
}
