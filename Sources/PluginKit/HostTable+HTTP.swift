internal import PluginABI

/// The http service as functions; each does nothing once the instance is destroyed.
extension HostTable {
    func startTransfer(call: aib_id, _ request: HTTPRequest, user: UInt64) throws(PluginError) -> aib_id {
        let http = try unsafe service(http, "the http service")
        var handle: aib_id = 0
        let status = unsafe request.withWireForm { wire in
            unsafe http.pointee.start(context, call, &wire, user, &handle)
        }
        guard status == AIB_OK else { throw PluginError(status: status, "the request to \(request.url)") }
        return handle
    }

    func pause(_ transfer: aib_id, _ isPaused: Bool) {
        guard isOpen, let http = unsafe http else { return }
        _ = unsafe http.pointee.pause(context, transfer, isPaused ? 1 : 0)
    }

    func write(_ transfer: aib_id, _ piece: [UInt8]) -> aib_status {
        guard isOpen, let http = unsafe http else { return aib_status(AIB_E_STALE) }
        return unsafe withSpans(piece, []) { piece, _ in unsafe http.pointee.write(context, transfer, piece) }
    }

    func finish(_ transfer: aib_id) {
        guard isOpen, let http = unsafe http else { return }
        _ = unsafe http.pointee.finish(context, transfer)
    }

    func abort(_ transfer: aib_id) {
        guard isOpen, let http = unsafe http else { return }
        _ = unsafe http.pointee.abort(context, transfer)
    }
}
