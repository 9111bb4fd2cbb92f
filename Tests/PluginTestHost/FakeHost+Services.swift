import PluginKit
import Synchronization

extension FakeHost {
    /// The service `http`: what the plugin asks for becomes an event.
    static var httpTable: aib_svc_http {
        var table = aib_svc_http()
        table.struct_size = UInt32(MemoryLayout<aib_svc_http>.size)
        unsafe table.start = { context, _, request, user, out in
            let host = unsafe FakeHost.at(context)
            guard let request = unsafe request?.pointee else { return aib_status(AIB_E_INVALID) }
            let handle = host.nextHandle()
            unsafe out?.pointee = handle
            let fields = unsafe UnsafeBufferPointer(start: request.headers, count: Int(request.n_headers))
            let headers = unsafe fields.map { unsafe ($0.name.text, $0.value.text) }
            unsafe host.continuation.yield(
                .request(
                    Sent(
                        method: request.method.text, url: request.url.text,
                        headers: Dictionary(uniqueKeysWithValues: headers), text: request.body.text,
                        blob: request.body_blob.text,
                        fillsSecrets: request.flags & UInt64(AIB_HTTP_FILL_BODY) != 0,
                        timeoutMilliseconds: request.timeout_ms, user: user, handle: handle)))
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

    /// The service `timer`: a pause lasts until the test fires it.
    static var timerTable: aib_svc_timer {
        var table = aib_svc_timer()
        table.struct_size = UInt32(MemoryLayout<aib_svc_timer>.size)
        unsafe table.start = { context, _, milliseconds, user, out in
            let host = unsafe FakeHost.at(context)
            let handle = host.nextHandle()
            unsafe out?.pointee = handle
            host.continuation.yield(.timer(Timer(milliseconds: milliseconds, user: user, handle: handle)))
            return aib_status(AIB_OK)
        }
        unsafe table.cancel = { _, _ in aib_status(AIB_OK) }
        return table
    }
}
