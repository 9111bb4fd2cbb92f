import Domain
import PluginABI

extension ServiceTables {
    static let http = unsafe Table(
        aib_svc_http(
            struct_size: UInt32(MemoryLayout<aib_svc_http>.size), reserved: 0,
            start: { context, call, request, user, out in
                guard let out = unsafe out, let request = unsafe request,
                    unsafe request.pointee.struct_size >= MemoryLayout<aib_http_req>.size,
                    let instance = unsafe PluginInstance.at(context)
                else { return aib_status(AIB_E_INVALID) }
                var id: aib_id = 0
                let status = unsafe instance.startTransfer(call, request.pointee, user, &id)
                unsafe out.pointee = id
                return aib_status(status)
            },
            pause: { context, http, paused in
                guard let transfer = unsafe PluginInstance.at(context)?.transfer(http) else {
                    return aib_status(AIB_E_STALE)
                }
                transfer.pause(paused != 0)
                return aib_status(AIB_OK)
            },
            write: { context, http, piece in
                guard let transfer = unsafe PluginInstance.at(context)?.transfer(http) else {
                    return aib_status(AIB_E_STALE)
                }
                guard let bytes = unsafe piece.copy(upTo: PluginInstance.maximumPieceBytes) else {
                    return aib_status(AIB_E_INVALID)
                }
                return aib_status(bytes.isEmpty ? AIB_OK : transfer.write(bytes))
            },
            finish: { context, http in
                aib_status(unsafe PluginInstance.at(context)?.transfer(http)?.finish() ?? AIB_E_STALE)
            },
            abort: { context, http in
                guard let instance = unsafe PluginInstance.at(context), let transfer = instance.transfer(http),
                    transfer.cancel()
                else { return aib_status(AIB_E_STALE) }
                transfer.call.release(http)
                _ = instance.remove(http)
                return aib_status(AIB_OK)
            }))
}

extension PluginInstance {
    /// What one write of a streamed body may carry.
    static let maximumPieceBytes = 1 << 20
    private static let maximumURLBytes = 16_384
    private static let maximumHeaders = 256
    private static let maximumHeaderBytes = 65_536

    func transfer(_ id: aib_id) -> HostedTransfer? {
        guard case .transfer(let transfer)? = service(id) else { return nil }
        return transfer
    }

    fileprivate func startTransfer(
        _ callID: aib_id, _ wire: aib_http_req, _ user: UInt64, _ out: inout aib_id
    ) -> Int {
        guard let call = call(callID) else { return AIB_E_STALE }
        guard let (request, blob) = unsafe outbound(wire, call) else { return AIB_E_INVALID }
        if blob != nil, !manifest.services.contains(AIB_SVC_BLOB) { return AIB_E_DENIED }
        let id = newID()
        let transfer = HostedTransfer(id: id, call: call, user: user, request: request, instance: self)
        add(.transfer(transfer), id)
        var status = call.adopt(id)
        if status == AIB_OK {
            out = id
            if let blob {
                status = self.request(.sendBlob(digest: blob, transfer), callID, user)
                if status != AIB_OK { call.release(id) }
            } else {
                transfer.start()
            }
        }
        if status != AIB_OK {
            out = 0
            _ = remove(id)
        }
        return status
    }

    /// A copy of the plugin's request, bounded by the call's deadline and by what the instance may reach; nil where
    /// it is malformed. The blob it sends is to be fetched first.
    private func outbound(_ wire: aib_http_req, _ call: HostedCall) -> (OutboundRequest, blob: String?)? {
        guard let method = unsafe wire.method.text(upTo: 32), !method.isEmpty,
            let url = unsafe wire.url.text(upTo: Self.maximumURLBytes), !url.isEmpty,
            let body = unsafe wire.body.copy(upTo: OutboundRequest.maximumBodyBytes),
            let blob = unsafe wire.body_blob.text(upTo: 64),
            var headers = unsafe headers(wire.headers, wire.n_headers)
        else { return nil }
        let streams = unsafe wire.flags & UInt64(AIB_HTTP_STREAM_BODY) != 0
        let fills = unsafe wire.flags & UInt64(AIB_HTTP_FILL_BODY) != 0
        if fills, streams || !blob.isEmpty { return nil }
        var length: Int64?
        if streams, let index = headers.firstIndex(where: { $0.name.lowercased() == "content-length" }) {
            // The transport writes the field itself, from the length.
            guard let value = Int64(headers.remove(at: index).value), value >= 0 else { return nil }
            length = value
        }
        guard [!body.isEmpty, !blob.isEmpty, streams].count(where: { $0 }) <= 1, blob.isEmpty || Self.isDigest(blob)
        else { return nil }
        var timeout = call.invocation.deadline.duration(since: environment.clock.now())
        let limit = unsafe wire.timeout_ms
        if limit > 0 { timeout = min(timeout, .milliseconds(limit)) }
        var request = OutboundRequest(
            method: method, url: url, headers: headers,
            body: streams ? .stream(length: length) : body.isEmpty ? .none : .bytes(body),
            timeout: max(timeout, .milliseconds(1)), egress: egress, secrets: call.secrets)
        request.fillsSecretsInBody = fills
        return (request, blob.isEmpty ? nil : blob)
    }

    private func headers(_ pointer: UnsafePointer<aib_header>?, _ count: UInt64) -> [OutboundRequest.Header]? {
        guard count > 0 else { return [] }
        guard let pointer = unsafe pointer, count <= Self.maximumHeaders else { return nil }
        var headers: [OutboundRequest.Header] = []
        for index in 0..<Int(count) {
            let header = unsafe pointer[index]
            guard let name = unsafe header.name.text(upTo: 256), !name.isEmpty,
                let value = unsafe header.value.text(upTo: Self.maximumHeaderBytes)
            else { return nil }
            headers.append(OutboundRequest.Header(name, value))
        }
        return headers
    }
}
