internal import PluginABI

extension Call {
    /// Sends a request and returns as soon as the answer's head is there and a streamed body is sent. Redirects are
    /// not followed. An answer that refuses the request (status 400 and above) ends a streamed body early.
    ///
    /// - Throws: `PluginError`, and what a body's writer throws.
    public func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        let transfer = Transfer(host: active.host)
        guard let user = active.add(transfer) else { throw PluginError.cancelled }
        let lease = TransferLease(transfer, of: active, user: user)
        do {
            transfer.started(as: try active.host.startTransfer(call: active.id, request, user: user))
            let head: Transfer.Head
            if case .stream(let write) = request.body {
                head = try await Self.head(of: transfer, writing: write)
            } else {
                head = try await transfer.head.wait()
            }
            return HTTPResponse(
                status: head.status, version: head.version, headers: head.headers, body: HTTPBody(lease: lease))
        } catch {
            transfer.abandon()
            throw error
        }
    }

    private static func head(
        of transfer: Transfer, writing write: @escaping @Sendable (HTTPBodyWriter) async throws -> Void
    ) async throws -> Transfer.Head {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await write(HTTPBodyWriter(transfer: transfer))
                transfer.finish()
            }
            group.addTask {
                // The refusal stops the writer; any other answer waits for it.
                if try await transfer.head.wait().status >= 400 { throw EarlyAnswer() }
            }
            do {
                while try await group.next() != nil {}
            } catch {
                group.cancelAll()
                // Where the peer answered before it hung up, its answer says more than the writer's failure.
                guard error is EarlyAnswer || transfer.hasHead else { throw error }
            }
            return try await transfer.head.wait()
        }
    }

    private struct EarlyAnswer: Error {}
}

extension HTTPRequest {
    /// Lends the request to the host in the form of the ABI.
    func withWireForm<Result>(_ body: (inout aib_http_req) throws -> Result) rethrows -> Result {
        // One buffer holds every text, so that one pointer has to stay valid.
        var buffer: [UInt8] = []
        func add(_ bytes: some Sequence<UInt8>) -> Range<Int> {
            let start = buffer.count
            buffer.append(contentsOf: bytes)
            return start..<buffer.count
        }
        let method = add(self.method.utf8)
        let url = add(self.url.utf8)
        let fields = headers.map { (name: add($0.0.utf8), value: add($0.1.utf8)) }
        var bytes: [UInt8] = []
        var blob = 0..<0
        var flags = fillsSecretsInBody ? UInt64(AIB_HTTP_FILL_BODY) : 0
        switch self.body {
        case .none: break
        case .bytes(let body): bytes = body
        case .blob(let digest): blob = add(digest.utf8)
        case .stream: flags |= UInt64(AIB_HTTP_STREAM_BODY)
        }
        return try unsafe withSpans(buffer, bytes) { texts, bytes in
            func span(_ range: Range<Int>) -> aib_span {
                unsafe aib_span(ptr: texts.ptr.map { unsafe $0 + range.lowerBound }, len: UInt64(range.count))
            }
            let headers = unsafe fields.map { unsafe aib_header(name: span($0.name), value: span($0.value)) }
            return try unsafe headers.withUnsafeBufferPointer { headers in
                var wire = unsafe aib_http_req(
                    struct_size: UInt32(MemoryLayout<aib_http_req>.size), timeout_ms: timeoutMilliseconds,
                    method: span(method), url: span(url), body: bytes, body_blob: span(blob),
                    headers: headers.baseAddress, n_headers: UInt64(headers.count), flags: flags)
                return try unsafe body(&wire)
            }
        }
    }
}
